/** Maps the operations and flags of requests to commands and flags of the protocol. Hot path. */
import {
  UBLK_IO_F_FUA,
  UBLK_IO_F_NOUNMAP,
  UBLK_IO_OP_DISCARD,
  UBLK_IO_OP_FLUSH,
  UBLK_IO_OP_READ,
  UBLK_IO_OP_WRITE,
  UBLK_IO_OP_WRITE_ZEROES,
} from '../../../native/uapi/ublk-io.ts';
import {
  NBD_CMD_FLAG_FUA,
  NBD_CMD_FLAG_NO_HOLE,
  NBD_CMD_FLUSH,
  NBD_CMD_READ,
  NBD_CMD_TRIM,
  NBD_CMD_WRITE,
  NBD_CMD_WRITE_ZEROES,
} from '../protocol/numbers.ts';

/** The command for an operation; -1: the protocol has none. */
export const commandOf = (op: number): number => {
  switch (op) {
    case UBLK_IO_OP_READ:
      return NBD_CMD_READ;
    case UBLK_IO_OP_WRITE:
      return NBD_CMD_WRITE;
    case UBLK_IO_OP_FLUSH:
      return NBD_CMD_FLUSH;
    case UBLK_IO_OP_DISCARD:
      return NBD_CMD_TRIM;
    case UBLK_IO_OP_WRITE_ZEROES:
      return NBD_CMD_WRITE_ZEROES;
    default:
      return -1;
  }
};

/**
 * The flags of the command. NOUNMAP asks for zeroes that have their place on the disk, so the server must not make a
 * hole. FAST_ZERO is not used: see docs/decisions/0018.
 */
export const commandFlagsOf = (op: number, flags: number): number => {
  const isChange = op === UBLK_IO_OP_WRITE || op === UBLK_IO_OP_WRITE_ZEROES || op === UBLK_IO_OP_DISCARD;
  const fua = isChange && (flags & UBLK_IO_F_FUA) !== 0 ? NBD_CMD_FLAG_FUA : 0;
  const noHole = op === UBLK_IO_OP_WRITE_ZEROES && (flags & UBLK_IO_F_NOUNMAP) !== 0 ? NBD_CMD_FLAG_NO_HOLE : 0;
  return fua | noHole;
};
