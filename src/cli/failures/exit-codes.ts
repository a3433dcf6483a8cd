import { constants } from 'node:os';
import type { FailureKind, UblkError } from '../../errors.ts';

/** The `code` of the error about a first word that is not a command. */
export const UNKNOWN_COMMAND = 'UNKNOWN_COMMAND';

/** The `code` of the error of a command that a signal ended. Its cause names the signal. */
export const INTERRUPTED = 'INTERRUPTED';

const EXIT_UNKNOWN = 127;
/** A program that a signal ended exits with this plus the number of the signal, as shells do. */
const EXIT_SIGNAL = 128;
/** The command succeeded for some of several devices. */
export const EXIT_SOME = 64;

const EXIT_CODES: Readonly<Record<FailureKind, number>> = {
  failed: 1,
  usage: 2,
  unsupported: 3,
  permission: 4,
  'no-device': 5,
  busy: 6,
  partial: EXIT_SOME,
};

export function exitCodeOf(error: UblkError): number {
  if (error.code === UNKNOWN_COMMAND) return EXIT_UNKNOWN;
  return error.code === INTERRUPTED ? exitCodeOfSignal(error) : EXIT_CODES[error.kind];
}

function exitCodeOfSignal({ cause }: UblkError): number {
  const { signal } = cause as { signal: NodeJS.Signals };
  return EXIT_SIGNAL + constants.signals[signal];
}

/** The exit codes and their meanings, for the generated documents. */
export const EXIT_CODE_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'Done.'],
  [EXIT_CODES.failed, 'Failed.'],
  [EXIT_CODES.usage, 'Wrong usage: a flag, an argument or a combination of them is not valid.'],
  [EXIT_CODES.unsupported, 'This kernel or machine cannot do it: there is no ublk driver, or a feature is missing.'],
  [EXIT_CODES.permission, 'Not permitted: root is needed, or a capability.'],
  [EXIT_CODES['no-device'], 'No such device.'],
  [EXIT_CODES.busy, 'The device or the buffer is in use.'],
  [EXIT_SOME, 'Done for some of several devices, and failed for the others.'],
  [EXIT_UNKNOWN, 'No such command.'],
  [EXIT_SIGNAL + constants.signals.SIGHUP, 'Interrupted, because its terminal was closed (SIGHUP).'],
  [EXIT_SIGNAL + constants.signals.SIGINT, 'Interrupted by Ctrl-C.'],
  [EXIT_SIGNAL + constants.signals.SIGTERM, 'Interrupted by SIGTERM.'],
];
