// include/uapi/linux/ublk_cmd.h, Linux 7.3: the states and limits of a device.

export const UBLK_S_DEV_DEAD = 0;
export const UBLK_S_DEV_LIVE = 1;
export const UBLK_S_DEV_QUIESCED = 2;
export const UBLK_S_DEV_FAIL_IO = 3;

/** The largest number of tags that a queue can have. */
export const UBLK_MAX_QUEUE_DEPTH = 4096;
/** The largest number of queues that a device can have. */
export const UBLK_MAX_NR_QUEUES = 4096;

/** A flag of `ublk_shmem_buf_reg`: the pages are pinned without write access, which a write-sealed memfd needs. */
export const UBLK_SHMEM_BUF_READ_ONLY = 1 << 0;

const STATE_NAMES = ['DEAD', 'LIVE', 'QUIESCED', 'FAIL_IO'] as const;

/** The name of a UBLK_S_DEV_* state, or `UNKNOWN`. kublk prints UNKNOWN for FAIL_IO too. */
export function ublkStateName(state: number): string {
  return STATE_NAMES[state] ?? 'UNKNOWN';
}
