import type { FailureKind, UblkError } from '../errors.ts';

/** The `code` of the error for a first word that is no command. */
export const UNKNOWN_COMMAND = 'UNKNOWN_COMMAND';

const EXIT_CODES: Readonly<Record<FailureKind, number>> = {
  failed: 1,
  usage: 2,
  unsupported: 3,
  permission: 4,
  'no-device': 5,
  busy: 6,
  partial: 64,
};

export function exitCodeOf(error: UblkError): number {
  return error.code === UNKNOWN_COMMAND ? 127 : EXIT_CODES[error.kind];
}
