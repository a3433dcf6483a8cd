// include/uapi/linux/ublk_cmd.h, Linux 7.3: the positions of fields in an I/O command and in the descriptor of a request as an
// Int32Array, which is how the data path reads and writes them. A 64-bit field is two words, the low one first.

// The command bytes of an I/O command (ublksrv_io_cmd), as words of the SQE.

/** The q_id in bits 0-15 and the tag in bits 16-31. */
export const SQE_WORD_IO_CMD_QID_TAG = 12;
export const SQE_WORD_IO_CMD_RESULT = 13;
/** addr, or zone_append_lba. */
export const SQE_WORD_IO_CMD_ADDR_LO = 14;
export const SQE_WORD_IO_CMD_ADDR_HI = 15;

// The words of a ublksrv_io_desc, which has this length unless UBLK_F_IO_DESC_SIZE says otherwise.

export const IO_DESC_WORDS = 6;
export const IO_DESC_WORD_OP_FLAGS = 0;
export const IO_DESC_WORD_NR_SECTORS = 1;
export const IO_DESC_WORD_START_SECTOR_LO = 2;
export const IO_DESC_WORD_START_SECTOR_HI = 3;
export const IO_DESC_WORD_ADDR_LO = 4;
export const IO_DESC_WORD_ADDR_HI = 5;
