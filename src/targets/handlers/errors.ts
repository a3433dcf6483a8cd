/**
 * The errors that a byte-handler target answers requests with: which of them reach the client as they are, and how a
 * thrown value becomes one.
 */
import { ERRNO } from '../../native/uapi/errno.ts';

/**
 * The errors that the kernel's block layer hands on to a client (errno_to_blk_status, Linux 7.3). Any other error
 * reaches it as EIO.
 */
export const BLOCK_ERROR_CODES = [
  'EIO',
  'ENOSPC',
  'EOPNOTSUPP',
  'ETIMEDOUT',
  'ENOLINK',
  'EREMOTEIO',
  'EBADE',
  'ENODATA',
  'EILSEQ',
  'ENOMEM',
  'EAGAIN',
] as const;

export type BlockErrorCode = (typeof BLOCK_ERROR_CODES)[number];

/**
 * An error that the client of the device receives under its own name: `throw new BlockError('ENOSPC', 'the quota is
 * used up')`. Any thrown value that has one of these names as its `code` does the same, as the errors of `node:fs` do.
 */
export class BlockError extends Error {
  readonly code: BlockErrorCode;

  /** `message` goes to the server's log; a client sees the code alone. */
  constructor(code: BlockErrorCode, message: string = code, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BlockError';
    this.code = code;
  }
}

/** The errno (above 0) with which a request is answered that ended in `thrown`. */
export function errnoOf(thrown: unknown): number {
  const code = codeOf(thrown);
  const known = BLOCK_ERROR_CODES.find((name) => name === code);
  // Not in errno.h: user space's other name for EOPNOTSUPP.
  if (code === 'ENOTSUP') return ERRNO.EOPNOTSUPP;
  return known === undefined ? ERRNO.EIO : ERRNO[known];
}

function codeOf(thrown: unknown): unknown {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined;
}
