/**
 * Explains why a program that listens does not serve its export. Some programs listen before they open their image, and end
 * when they cannot: what they say then is the reason, and not the connection that failed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { UblkError } from '../../../errors.ts';
import type { Program } from './command.ts';
import { DIED, failed, type StartedProgram } from './start.ts';
import { withExports } from './wrong-export.ts';

/** A program that has closed its socket because it ends has ended within this time. */
const ENDS_MS = 1_000;
/** How long `explained` waits for the processes that the program has started. */
const LATEST_MS = 15_000;

/**
 * `error` says why the program in `folder` could not be used. Resolves to it when the program runs on, or when it is about the
 * program already; otherwise to an error with its last words.
 */
export async function explained(
  program: Program,
  started: StartedProgram,
  folder: string,
  error: unknown,
): Promise<unknown> {
  if (error instanceof UblkError && error.code === DIED) return error;
  const hasEnded = await Promise.race([started.exited.then(() => true), sleep(ENDS_MS, false, { ref: false })]);
  if (!hasEnded) return withExports(folder, error);
  const late = sleep(LATEST_MS, undefined, { ref: false }).then(() => started.exited);
  return failed(program, `${await Promise.race([started.ended, late])} before it had said what it exports`);
}
