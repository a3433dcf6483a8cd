/** Runs the program as a user does: the built one, through bin/run.js. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Setting {
  readonly env?: Readonly<Record<string, string>>;
  /** Words for Node itself. */
  readonly node?: readonly string[];
}

/** `line` is split at blanks. */
export function ublkts(line: string, { env = {}, node = [] }: Setting = {}): Result {
  const words = line === '' ? [] : line.split(' ');
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, `${ROOT}bin/run.js`, ...words], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/root', ...env },
  });
  return { code: status, stdout, stderr };
}

/** A program that does not end would keep the tests from ending. */
export const LONGEST_MS = 50_000;

/** The same for several at once. */
export async function ran(words: readonly string[]): Promise<Result> {
  const child = spawn(process.execPath, [`${ROOT}bin/run.js`, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, stdout, stderr };
}
