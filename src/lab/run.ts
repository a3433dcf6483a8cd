import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { labError } from './errors.ts';
import { type SessionOptions, runSession } from './session.ts';

export interface RunOptions extends SessionOptions {
  /** Gets the command's stdout as it comes. The next chunk waits for a promise that it returns. */
  readonly onStdout?: OnData | undefined;
  readonly onStderr?: OnData | undefined;
  /** Directory of the host that gets what the command left in /results. */
  readonly collectTo?: string | undefined;
}

export type OnData = (chunk: Buffer) => void | Promise<void>;

export interface RunResult {
  readonly exitCode: number;
}

/** Runs a command in a fresh guest with a ublk kernel. Its stdin is empty. */
export async function runInGuest(options: RunOptions): Promise<RunResult> {
  const { collectTo } = options;
  const names = ['stdout', 'stderr', ...(collectTo === undefined ? [] : ['results'])];
  const channels = names.map((name) => ({ name, kind: 'port' as const }));
  const exitCode = await runSession(options, channels, async ({ read }) => {
    await Promise.all([
      deliver(read('stdout'), options.onStdout),
      deliver(read('stderr'), options.onStderr),
      collectTo === undefined ? undefined : unpack(read('results'), collectTo),
    ]);
  });
  return { exitCode };
}

async function deliver(stream: AsyncIterable<Buffer>, onData: OnData | undefined): Promise<void> {
  for await (const chunk of stream) await onData?.(chunk);
}

async function unpack(archive: AsyncIterable<Buffer>, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const tar = spawn('tar', ['--extract', '--no-same-owner', '--directory', directory], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const [[code]] = await Promise.all([
    once(tar, 'close') as Promise<[number | null]>,
    // tar stops reading at the archive's end mark, before the padding: its exit code is what counts.
    pipeline(Readable.from(archive), tar.stdin).catch(() => {}),
  ]);
  if (code !== 0) throw labError(`tar could not unpack the command's results to ${directory}`);
}
