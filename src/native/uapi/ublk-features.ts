// include/uapi/linux/ublk_cmd.h, Linux 7.3: UBLK_F_*, the 64 feature bits of a device and of the driver.

export const UBLK_F_SUPPORT_ZERO_COPY = 1n << 0n;
export const UBLK_F_URING_CMD_COMP_IN_TASK = 1n << 1n;
export const UBLK_F_NEED_GET_DATA = 1n << 2n;
export const UBLK_F_USER_RECOVERY = 1n << 3n;
export const UBLK_F_USER_RECOVERY_REISSUE = 1n << 4n;
export const UBLK_F_UNPRIVILEGED_DEV = 1n << 5n;
export const UBLK_F_CMD_IOCTL_ENCODE = 1n << 6n;
export const UBLK_F_USER_COPY = 1n << 7n;
export const UBLK_F_ZONED = 1n << 8n;
export const UBLK_F_USER_RECOVERY_FAIL_IO = 1n << 9n;
export const UBLK_F_UPDATE_SIZE = 1n << 10n;
export const UBLK_F_AUTO_BUF_REG = 1n << 11n;
export const UBLK_F_QUIESCE = 1n << 12n;
export const UBLK_F_PER_IO_DAEMON = 1n << 13n;
export const UBLK_F_BUF_REG_OFF_DAEMON = 1n << 14n;
export const UBLK_F_BATCH_IO = 1n << 15n;
export const UBLK_F_INTEGRITY = 1n << 16n;
export const UBLK_F_SAFE_STOP_DEV = 1n << 17n;
export const UBLK_F_NO_AUTO_PART_SCAN = 1n << 18n;
export const UBLK_F_SHMEM_ZC = 1n << 19n;
export const UBLK_F_IO_DESC_SIZE = 1n << 20n;

export interface UblkFeature {
  /** The name in the header. */
  readonly name: string;
  readonly bit: number;
  readonly flag: bigint;
  /** The first version of Linux whose driver grants the feature. */
  readonly since: string;
}

/** Every feature of Linux 7.3, in the order of the bits. */
export const UBLK_FEATURES = [
  // The bit is as old as ublk (6.0), but no driver granted it before 6.15 brought UBLK_U_IO_REGISTER_IO_BUF.
  { name: 'UBLK_F_SUPPORT_ZERO_COPY', bit: 0, flag: UBLK_F_SUPPORT_ZERO_COPY, since: '6.15' },
  { name: 'UBLK_F_URING_CMD_COMP_IN_TASK', bit: 1, flag: UBLK_F_URING_CMD_COMP_IN_TASK, since: '6.0' },
  { name: 'UBLK_F_NEED_GET_DATA', bit: 2, flag: UBLK_F_NEED_GET_DATA, since: '6.0' },
  { name: 'UBLK_F_USER_RECOVERY', bit: 3, flag: UBLK_F_USER_RECOVERY, since: '6.1' },
  { name: 'UBLK_F_USER_RECOVERY_REISSUE', bit: 4, flag: UBLK_F_USER_RECOVERY_REISSUE, since: '6.1' },
  { name: 'UBLK_F_UNPRIVILEGED_DEV', bit: 5, flag: UBLK_F_UNPRIVILEGED_DEV, since: '6.3' },
  { name: 'UBLK_F_CMD_IOCTL_ENCODE', bit: 6, flag: UBLK_F_CMD_IOCTL_ENCODE, since: '6.4' },
  { name: 'UBLK_F_USER_COPY', bit: 7, flag: UBLK_F_USER_COPY, since: '6.5' },
  { name: 'UBLK_F_ZONED', bit: 8, flag: UBLK_F_ZONED, since: '6.6' },
  { name: 'UBLK_F_USER_RECOVERY_FAIL_IO', bit: 9, flag: UBLK_F_USER_RECOVERY_FAIL_IO, since: '6.13' },
  { name: 'UBLK_F_UPDATE_SIZE', bit: 10, flag: UBLK_F_UPDATE_SIZE, since: '6.16' },
  { name: 'UBLK_F_AUTO_BUF_REG', bit: 11, flag: UBLK_F_AUTO_BUF_REG, since: '6.16' },
  { name: 'UBLK_F_QUIESCE', bit: 12, flag: UBLK_F_QUIESCE, since: '6.16' },
  { name: 'UBLK_F_PER_IO_DAEMON', bit: 13, flag: UBLK_F_PER_IO_DAEMON, since: '6.16' },
  { name: 'UBLK_F_BUF_REG_OFF_DAEMON', bit: 14, flag: UBLK_F_BUF_REG_OFF_DAEMON, since: '6.17' },
  { name: 'UBLK_F_BATCH_IO', bit: 15, flag: UBLK_F_BATCH_IO, since: '7.0' },
  { name: 'UBLK_F_INTEGRITY', bit: 16, flag: UBLK_F_INTEGRITY, since: '7.0' },
  { name: 'UBLK_F_SAFE_STOP_DEV', bit: 17, flag: UBLK_F_SAFE_STOP_DEV, since: '7.0' },
  { name: 'UBLK_F_NO_AUTO_PART_SCAN', bit: 18, flag: UBLK_F_NO_AUTO_PART_SCAN, since: '7.0' },
  { name: 'UBLK_F_SHMEM_ZC', bit: 19, flag: UBLK_F_SHMEM_ZC, since: '7.1' },
  { name: 'UBLK_F_IO_DESC_SIZE', bit: 20, flag: UBLK_F_IO_DESC_SIZE, since: '7.3' },
] as const satisfies readonly UblkFeature[];
