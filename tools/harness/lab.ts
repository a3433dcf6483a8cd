/** Commands in the lab's guest, as the harness wants them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dependenciesDisk } from '../../src/lab/dependencies.ts';
import { ensureImage } from '../../src/lab/image.ts';
import { interruptible } from '../../src/cli/running/interruption.ts';
import { progressPrinter } from '../../src/cli/running/progress.ts';
import { type OnData, runInGuest } from '../../src/lab/run.ts';
import { UblkError } from '../../src/errors.ts';
import { ROOT } from './root.ts';

export interface GuestJob {
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly memory?: string;
  readonly cpus?: number;
  /** One CPU whose clock is its instructions. */
  readonly instructions?: boolean;
  readonly timeoutSeconds: number;
  /** Gets what the command left in /results. */
  readonly collectTo?: string;
  readonly onStdout: OnData;
  /** Also hears how a guest ended that did not come to its end. */
  readonly onStderr: OnData;
  readonly signal: AbortSignal;
}

/** Its exit code; 1 when the guest did not come to its end. */
export async function inGuest({ environment, ...job }: GuestJob): Promise<number> {
  const progress = progressPrinter(process.stderr);
  try {
    const { exitCode } = await runInGuest({
      ...job,
      projectRoot: ROOT,
      environment: { ...coloured(), ...environment },
      onProgress: progress.onProgress,
      onStart: progress.clear,
    });
    return exitCode;
  } catch (error) {
    job.signal.throwIfAborted();
    await job.onStderr(Buffer.from(`${error instanceof UblkError ? error.message : String(error)}\n`));
    return 1;
  }
}

/** The guest's programs write to a pipe, which says nothing about where their text ends up. */
function coloured(): Record<string, string> {
  return process.stdout.isTTY && !process.env['NO_COLOR'] ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' };
}

/** Makes what guests boot from, so that several that boot at the same time find it and do not each make it. */
export async function prepareLab(signal: AbortSignal): Promise<void> {
  const progress = progressPrinter(process.stderr);
  const options = { signal, onProgress: progress.onProgress };
  await ensureImage(options);
  await dependenciesDisk(ROOT, options);
  progress.clear();
}

/** A task with a directory for files on their way, which can be interrupted; its exit code is the process's. */
export async function runHarness(task: (scratch: string, signal: AbortSignal) => Promise<number>): Promise<void> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'ublkts-test-'));
  try {
    process.exitCode = await interruptible((signal) => task(scratch, signal));
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n`);
    process.exitCode = error instanceof UblkError && error.code === 'INTERRUPTED' ? 130 : 1;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Of a word that a person got wrong, the stack is nothing to them.
  const plain = error instanceof UblkError || ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  return plain ? error.message : (error.stack ?? error.message);
}
