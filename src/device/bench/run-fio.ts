/** Runs fio to its end, or kills it. */
import { execFile, type ExecFileException } from 'node:child_process';
import { UblkError } from '../../errors.ts';
import { temporaryHome } from '../../temporary-home.ts';

export interface FioRun {
  /** 255: a signal ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface FioLimits {
  /** A device that is slower than this is taken for one that does not answer. */
  readonly timeoutMs?: number;
  /** fio is killed when it aborts, and the promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

const FAILED = 255;
const MAX_OUTPUT = 1 << 26;

export async function runFio(words: readonly string[], { timeoutMs = 0, signal }: FioLimits = {}): Promise<FioRun> {
  // fio leaves files where it runs.
  const options = { cwd: temporaryHome(), maxBuffer: MAX_OUTPUT, timeout: timeoutMs, killSignal: 'SIGKILL' as const };
  return new Promise((resolve, reject) => {
    execFile('fio', words, { ...options, ...(signal && { signal }) }, (error, stdout, stderr) => {
      // Ctrl-C on a terminal reaches fio as well, and it may have ended by that.
      if (signal?.aborted === true) reject(signal.reason as Error);
      else if (error?.code === 'ENOENT') reject(missing());
      else if (error?.killed === true) reject(silent(timeoutMs));
      else resolve({ exitCode: exitCodeOf(error), stdout, stderr });
    });
  });
}

function exitCodeOf(error: ExecFileException | null): number {
  if (error === null) return 0;
  return typeof error.code === 'number' ? error.code : FAILED;
}

function missing(): UblkError {
  return new UblkError('fio is not installed', {
    code: 'ENOENT',
    kind: 'unsupported',
    command: 'fio',
    hint: 'install it, for example with `apt-get install fio`',
  });
}

function silent(timeoutMs: number): UblkError {
  return new UblkError(`fio did not end within ${Math.round(timeoutMs / 1000)} s`, {
    code: 'TIMEOUT',
    command: 'fio',
    hint: 'its requests do not come back: `ublkts list` says whether the device is LIVE',
  });
}
