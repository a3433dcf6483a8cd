/**
 * user_data: the 64 bits of an entry that come back with its completion. The low word holds the slot (bits 0-16), the
 * kind of entry (17-19) and the starter's token (20-31). The high word is 0.
 */

export const SLOT_BITS = 17;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const KIND_MASK = 7;
export const TOKEN_SHIFT = 20;

/** FETCH_REQ, COMMIT_AND_FETCH_REQ or NEED_GET_DATA of a slot. */
export const KIND_COMMAND = 0;
/** An operation that the target started. */
export const KIND_TARGET = 1;
/** An operation that the data path started, before or after the target had the request. */
export const KIND_DATA = 2;
/** FETCH_IO_CMDS. The slot bits say which fetch buffer. */
export const KIND_BATCH_FETCH = 3;
/** PREP_IO_CMDS or COMMIT_IO_CMDS. The slot bits say which element buffer. */
export const KIND_BATCH_COMMAND = 4;
/** The read of the eventfd with which the main thread wakes this thread. */
export const KIND_WAKE = 5;
/** The timeout after which requests are held no longer (data-path/shmem.ts). */
export const KIND_DEADLINE = 6;
/** An operation of the target's that belongs to no request (target-ring.ts). */
export const KIND_TARGET_OWN = 7;

// These functions are constants: the JIT checks a declared function at each call (docs/decisions/0011).

export const userData = (kind: number, slot: number, token: number): number =>
  slot | (kind << SLOT_BITS) | (token << TOKEN_SHIFT);

export const slotOf = (userData: number): number => userData & SLOT_MASK;

export const kindOf = (userData: number): number => (userData >>> SLOT_BITS) & KIND_MASK;

export const tokenOf = (userData: number): number => userData >>> TOKEN_SHIFT;
