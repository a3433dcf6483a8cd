/** Runs commands in the lab's guest for the programs of this folder. */
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
  readonly packages?: readonly string[];
  /** The guest has one CPU, and its clock counts instructions. */
  readonly instructions?: boolean;
  readonly timeoutSeconds: number;
  /** Gets what the command left in /results. */
  readonly collectTo?: string;
  readonly onStdout: OnData;
  /** Also gets the reason when a guest ended too early. */
  readonly onStderr: OnData;
  readonly signal: AbortSignal;
}

/** Resolves with the command's exit code, or with 1 when the guest ended too early. */
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

/** Makes what guests boot from, so that several guests that boot at the same time do not each make it. */
export async function prepareLab(signal: AbortSignal): Promise<void> {
  const progress = progressPrinter(process.stderr);
  const options = { signal, onProgress: progress.onProgress };
  await ensureImage(options);
  await dependenciesDisk(ROOT, options);
  progress.clear();
}

/** Runs a task that can be interrupted, with a directory for temporary files. Its result becomes the process's exit code. */
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
  // A person who mistyped a word needs no stack.
  const plain = error instanceof UblkError || ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  return plain ? error.message : (error.stack ?? error.message);
}
