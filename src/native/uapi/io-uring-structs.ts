// include/uapi/linux/io_uring.h and time_types.h, Linux 7.3: the arguments of the three system calls.
import { nested, reserved, s64, struct, u16, u32, u64, u8 } from './struct.ts';

export const io_sqring_offsets = struct('io_sqring_offsets', 40, {
  head: u32(0),
  tail: u32(4),
  ring_mask: u32(8),
  ring_entries: u32(12),
  flags: u32(16),
  dropped: u32(20),
  array: u32(24),
  resv1: reserved(28, 4),
  user_addr: u64(32),
});

export const io_cqring_offsets = struct('io_cqring_offsets', 40, {
  head: u32(0),
  tail: u32(4),
  ring_mask: u32(8),
  ring_entries: u32(12),
  overflow: u32(16),
  cqes: u32(20),
  flags: u32(24),
  resv1: reserved(28, 4),
  user_addr: u64(32),
});

export const io_uring_params = struct('io_uring_params', 120, {
  sq_entries: u32(0),
  cq_entries: u32(4),
  flags: u32(8),
  sq_thread_cpu: u32(12),
  sq_thread_idle: u32(16),
  features: u32(20),
  wq_fd: u32(24),
  resv: reserved(28, 12),
  sq_off: nested(40, io_sqring_offsets),
  cq_off: nested(80, io_cqring_offsets),
});

/** IORING_REGISTER_BUFFERS2, IORING_REGISTER_FILES2. */
export const io_uring_rsrc_register = struct('io_uring_rsrc_register', 32, {
  nr: u32(0),
  flags: u32(4),
  resv2: reserved(8, 8),
  data: u64(16),
  tags: u64(24),
});

/** IORING_REGISTER_FILES_UPDATE, IORING_REGISTER_RING_FDS. */
export const io_uring_rsrc_update = struct('io_uring_rsrc_update', 16, {
  offset: u32(0),
  resv: reserved(4, 4),
  data: u64(8),
});

/** The answer of IORING_REGISTER_PROBE. It is followed by `ops_len` structs io_uring_probe_op. */
export const io_uring_probe = struct('io_uring_probe', 16, {
  last_op: u8(0),
  ops_len: u8(1),
  resv: reserved(2, 2),
  resv2: reserved(4, 12),
});

export const io_uring_probe_op = struct('io_uring_probe_op', 8, {
  op: u8(0),
  resv: reserved(1, 1),
  flags: u16(2),
  resv2: reserved(4, 4),
});

/**
 * An entry of a provided-buffer ring. The 16 bits of `resv` of entry 0 are the tail of the ring (io_uring_buf_ring).
 */
export const io_uring_buf = struct('io_uring_buf', 16, {
  addr: u64(0),
  len: u32(8),
  bid: u16(12),
  resv: reserved(14, 2),
});

/** The head of a provided-buffer ring. It lies over entry 0. */
export const io_uring_buf_ring = struct('io_uring_buf_ring', 16, {
  resv1: reserved(0, 8),
  resv2: reserved(8, 4),
  resv3: reserved(12, 2),
  tail: u16(14),
});

/** IORING_REGISTER_PBUF_RING, IORING_UNREGISTER_PBUF_RING. */
export const io_uring_buf_reg = struct('io_uring_buf_reg', 40, {
  ring_addr: u64(0),
  ring_entries: u32(8),
  bgid: u16(12),
  flags: u16(14),
  min_left: u32(16),
  resv: reserved(20, 20),
});

/** The argument with IORING_ENTER_EXT_ARG. `ts` is the address of a __kernel_timespec. */
export const io_uring_getevents_arg = struct('io_uring_getevents_arg', 24, {
  sigmask: u64(0),
  sigmask_sz: u32(8),
  min_wait_usec: u32(12),
  ts: u64(16),
});

/** The name has no leading underscores, because the linter refuses them. */
export const kernel_timespec = struct('__kernel_timespec', 16, {
  tv_sec: s64(0),
  tv_nsec: s64(8),
});
