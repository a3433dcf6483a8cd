// include/uapi/linux/ublk_cmd.h, Linux 7.3: file offsets and addresses that pack several numbers into one.

/** The offset for mmap(2) at which /dev/ublkcN has its descriptors. */
export const UBLKSRV_CMD_BUF_OFFSET = 0;
/** The offset for pread(2) and pwrite(2) at which the data of requests begins (UBLK_F_USER_COPY). */
export const UBLKSRV_IO_BUF_OFFSET = 0x80000000;

export const UBLK_IO_BUF_OFF = 0;
export const UBLK_IO_BUF_BITS = 25;
export const UBLK_IO_BUF_BITS_MASK = 2 ** UBLK_IO_BUF_BITS - 1;
export const UBLK_TAG_OFF = UBLK_IO_BUF_BITS;
export const UBLK_TAG_BITS = 16;
export const UBLK_TAG_BITS_MASK = 2 ** UBLK_TAG_BITS - 1;
export const UBLK_QID_OFF = UBLK_TAG_OFF + UBLK_TAG_BITS;
export const UBLK_QID_BITS = 12;
export const UBLK_QID_BITS_MASK = 2 ** UBLK_QID_BITS - 1;
export const UBLKSRV_IO_BUF_TOTAL_BITS = UBLK_QID_OFF + UBLK_QID_BITS;
export const UBLKSRV_IO_BUF_TOTAL_SIZE = 1n << 53n;
export const UBLK_INTEGRITY_FLAG_OFF = 62;
export const UBLKSRV_IO_INTEGRITY_FLAG = 1n << 62n;

// ublksrv_io_desc.addr when UBLK_IO_F_SHMEM_ZC is set: the offset in the low word, the index in bits 32-47.
export const UBLK_SHMEM_ZC_OFF_MASK = 0xffffffff;
export const UBLK_SHMEM_ZC_IDX_OFF = 32;
export const UBLK_SHMEM_ZC_IDX_MASK = 0xffff;

/** A position in the data of a request, as a position in /dev/ublkcN. `offset` counts from the request's first byte. */
export interface UserCopyPosition {
  readonly q_id: number;
  readonly tag: number;
  readonly offset: number;
  /** Whether the position is in the request's integrity metadata instead of its data. */
  readonly integrity: boolean;
}

export function encodeUserCopyPosition(position: UserCopyPosition): bigint {
  const { q_id, tag, offset, integrity } = position;
  const hi = userCopyPositionHi(q_id, tag, offset, integrity);
  return (BigInt(hi) << 32n) | BigInt(userCopyPositionLo(tag, offset));
}

export function decodeUserCopyPosition(position: bigint): UserCopyPosition {
  const packed = (position & ~UBLKSRV_IO_INTEGRITY_FLAG) - BigInt(UBLKSRV_IO_BUF_OFFSET);
  if (packed < 0n || packed >= UBLKSRV_IO_BUF_TOTAL_SIZE) {
    throw new RangeError(`user copy position: ${position} is not in the data of a request`);
  }
  return {
    q_id: Number(packed >> BigInt(UBLK_QID_OFF)),
    tag: Number(packed >> BigInt(UBLK_TAG_OFF)) & UBLK_TAG_BITS_MASK,
    offset: Number(packed) & UBLK_IO_BUF_BITS_MASK,
    integrity: (position & UBLKSRV_IO_INTEGRITY_FLAG) !== 0n,
  };
}

// The same position as two words, for sqe->off, because the data path uses no bigint.

/** The low word of the position, unsigned. */
export function userCopyPositionLo(tag: number, offset: number): number {
  return (UBLKSRV_IO_BUF_OFFSET + (tag << UBLK_TAG_OFF) + offset) >>> 0;
}

/** The high word of the position. */
export function userCopyPositionHi(q_id: number, tag: number, offset: number, integrity: boolean): number {
  // The bits of the base, the tag and the offset above bit 31. The sum is at most 2^41, so the double is exact.
  const carry = Math.floor((UBLKSRV_IO_BUF_OFFSET + tag * 2 ** UBLK_TAG_OFF + offset) / 2 ** 32);
  return ((q_id << (UBLK_QID_OFF - 32)) + carry) | (integrity ? 1 << (UBLK_INTEGRITY_FLAG_OFF - 32) : 0);
}

export function ublk_shmem_zc_addr(index: number, offset: number): bigint {
  return (BigInt(index & UBLK_SHMEM_ZC_IDX_MASK) << BigInt(UBLK_SHMEM_ZC_IDX_OFF)) | BigInt(offset >>> 0);
}

/** The buffer index, from the high word of ublksrv_io_desc.addr. */
export function ublk_shmem_zc_index(addrHi: number): number {
  return addrHi & UBLK_SHMEM_ZC_IDX_MASK;
}

/** The byte offset in the buffer, from the low word of ublksrv_io_desc.addr. */
export function ublk_shmem_zc_offset(addrLo: number): number {
  return addrLo >>> 0;
}

/** The low word of sqe->addr for UBLK_F_AUTO_BUF_REG; the high word is reserved and zero. */
export function ublk_auto_buf_reg_to_sqe_addr(index: number, flags: number): number {
  return index | (flags << 16);
}

/** Decodes what ublk_auto_buf_reg_to_sqe_addr has made. */
export function ublk_sqe_addr_to_auto_buf_reg(addrLo: number): { readonly index: number; readonly flags: number } {
  return { index: addrLo & 0xffff, flags: (addrLo >>> 16) & 0xff };
}
