/** The protocol's error numbers, and what a client of the device gets for them. */
import { ERRNO } from '../../../native/uapi/errno.ts';

const { EINVAL, EIO, ENOMEM, ENOSPC, EOPNOTSUPP, EOVERFLOW, EPERM } = ERRNO;

/** The server is about to end: the request was not served, and another server may serve it. */
export const NBD_ESHUTDOWN = 108;

/** The errno of an error number. The protocol's numbers happen to be those of Linux; any other number is an I/O error. */
export const errnoOfNbd = (error: number): number => {
  switch (error) {
    case EPERM:
    case ENOMEM:
    case EINVAL:
    case ENOSPC:
    case EOVERFLOW:
    case EOPNOTSUPP:
      return error;
    default:
      return EIO;
  }
};
