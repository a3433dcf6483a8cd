/**
 * The one error that crosses layers. What failed is data, so that a terminal, a script and `--json` can each say it
 * their own way; nothing below `bin/` exits.
 */

/** Closed set; `cli/failures/exit-codes.ts` gives each its exit code. */
export type FailureKind = 'failed' | 'usage' | 'unsupported' | 'permission' | 'no-device' | 'busy' | 'partial';

export interface FailureDetails {
  /** An errno name (`EBUSY`) or, where no system call failed, one of our own words (`BAD_VALUE`, `TIMEOUT`). */
  readonly code: string;
  readonly kind?: FailureKind;
  /** The kernel command or system call that refused, by the kernel's name (`ADD_DEV`, `mmap`). */
  readonly command?: string;
  /** Device id, where one was meant. */
  readonly device?: number;
  /** What a person can do next, one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export class UblkError extends Error {
  readonly code: string;
  readonly kind: FailureKind;
  readonly command: string | undefined;
  readonly device: number | undefined;
  readonly hint: string | undefined;

  constructor(message: string, details: FailureDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'UblkError';
    this.code = details.code;
    this.kind = details.kind ?? kindOfErrno(details.code);
    this.command = details.command;
    this.device = details.device;
    this.hint = details.hint;
  }
}

/** A value that a person gave and that cannot be meant. */
export function usageError(message: string, hint?: string): UblkError {
  return new UblkError(
    message,
    hint === undefined ? { code: 'BAD_VALUE', kind: 'usage' } : { code: 'BAD_VALUE', kind: 'usage', hint },
  );
}

function kindOfErrno(code: string): FailureKind {
  switch (code) {
    case 'EPERM':
    case 'EACCES':
      return 'permission';
    case 'EBUSY':
    case 'EEXIST':
      return 'busy';
    case 'EOPNOTSUPP':
    case 'ENOSYS':
      return 'unsupported';
    default:
      return 'failed';
  }
}
