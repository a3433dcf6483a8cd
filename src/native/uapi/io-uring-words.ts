// include/uapi/linux/io_uring.h, Linux 7.3: the positions of fields in an SQE and a CQE as an Int32Array, which is how the rings
// read and write them. A 64-bit field is two words, the low one first, so this is for little-endian machines only.

/** The number of 32-bit words of an SQE. With IORING_SETUP_SQE128 an entry is twice as long. */
export const SQE_WORDS = 16;
export const SQE128_WORDS = 32;

/** The opcode in bits 0-7, the flags (IOSQE_*) in bits 8-15, and ioprio in bits 16-31. */
export const SQE_WORD_OPCODE = 0;
export const SQE_WORD_FD = 1;
/** The low word of off, or cmd_op of a URING_CMD. */
export const SQE_WORD_OFF_LO = 2;
export const SQE_WORD_OFF_HI = 3;
export const SQE_WORD_CMD_OP = 2;
export const SQE_WORD_ADDR_LO = 4;
export const SQE_WORD_ADDR_HI = 5;
export const SQE_WORD_LEN = 6;
/** The flags of the operation: rw_flags, fsync_flags, uring_cmd_flags, timeout_flags and so on. */
export const SQE_WORD_OP_FLAGS = 7;
export const SQE_WORD_USER_DATA_LO = 8;
export const SQE_WORD_USER_DATA_HI = 9;
/** buf_index or buf_group in bits 0-15, personality in bits 16-31. */
export const SQE_WORD_BUF_INDEX = 10;
/** file_index or splice_fd_in. */
export const SQE_WORD_FILE_INDEX = 11;
export const SQE_WORD_ADDR3_LO = 12;
export const SQE_WORD_ADDR3_HI = 13;
/** The first of the command bytes, of which there are 16, or 80 with IORING_SETUP_SQE128. */
export const SQE_WORD_CMD = 12;
export const SQE_CMD_OFFSET = 48;
export const SQE_CMD_BYTES = 16;
export const SQE128_CMD_BYTES = 80;

/** The number of 32-bit words of a CQE. With IORING_SETUP_CQE32 an entry is twice as long. */
export const CQE_WORDS = 4;
export const CQE32_WORDS = 8;
export const CQE_WORD_USER_DATA_LO = 0;
export const CQE_WORD_USER_DATA_HI = 1;
export const CQE_WORD_RES = 2;
export const CQE_WORD_FLAGS = 3;
