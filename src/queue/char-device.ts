/** /dev/ublkcN as this thread's SQEs name it: registered file 0, or with --no_ublk_fixed_fd a plain descriptor. */
import { IOSQE_FIXED_FILE } from '../native/uapi/io-uring-sqe-flags.ts';

/** IOSQE_* sit in bits 8-15 of an SQE's first word. */
export const FIXED_FILE = IOSQE_FIXED_FILE << 8;

export interface CharDevice {
  readonly fd: number;
  readonly flags: number;
  /** Registered index of the target's first file. */
  readonly firstFile: number;
}

export function charDevice(charFd: number, noUblkFixedFd: boolean): CharDevice {
  return noUblkFixedFd ? { fd: charFd, flags: 0, firstFile: 0 } : { fd: 0, flags: FIXED_FILE, firstFile: 1 };
}
