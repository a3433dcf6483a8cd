/**
 * In the foreground the command is the server: when a signal ends the server, the command ends as a program does that a
 * signal ended, with 128 and its number. kublk's, being one process, does so by nature, and its tests look for 137.
 */
import { constants } from 'node:os';
import { UblkError } from '../errors.ts';

export async function endAsServer(serving: Promise<void>): Promise<void> {
  try {
    await serving;
  } catch (error) {
    const signal = signalOf(error);
    if (signal !== undefined) process.exitCode = 128 + constants.signals[signal];
    throw error;
  }
}

/** The library leaves how the server ended as the cause. */
function signalOf(error: unknown): NodeJS.Signals | undefined {
  const ending = error instanceof UblkError && error.code === 'SERVER_DIED' ? error.cause : undefined;
  return (ending as { signal: NodeJS.Signals | null } | undefined)?.signal ?? undefined;
}
