/** /dev/ublkcN as this thread's entries name it: registered file 0, or with --no_ublk_fixed_fd a plain descriptor. */
import { IORING_OP_URING_CMD } from '../native/uapi/io-uring-opcodes.ts';
import { IOSQE_FIXED_FILE } from '../native/uapi/io-uring-sqe-flags.ts';

/** IOSQE_FIXED_FILE where an entry's opcode field has the IOSQE_* flags: in bits 8-15. */
export const FIXED_FILE = IOSQE_FIXED_FILE << 8;

export interface CharDevice {
  readonly fd: number;
  /** FIXED_FILE or 0, for the opcode field. */
  readonly flags: number;
  /** The opcode field of a driver's command. */
  readonly command: number;
  /** Registered index of the target's first file. */
  readonly firstFile: number;
}

export function charDevice(charFd: number, noUblkFixedFd: boolean): CharDevice {
  return noUblkFixedFd
    ? { fd: charFd, flags: 0, command: IORING_OP_URING_CMD, firstFile: 0 }
    : { fd: 0, flags: FIXED_FILE, command: IORING_OP_URING_CMD | FIXED_FILE, firstFile: 1 };
}
