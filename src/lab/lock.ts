import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { labError, missingTool } from './errors.ts';
import type { TaskOptions } from './progress.ts';

const LONGEST_WAIT_SECONDS = 30 * 60;

/**
 * Runs `task` while holding an exclusive lock on `file`. The lock is the kernel's (flock), held by a child that lives
 * as long as its stdin: whatever kills this process also frees the lock, so that a lock is never stale.
 */
export async function withLock<T>(file: string, options: TaskOptions, task: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true });
  const release = (await acquire(file, 0, options)) ?? (await waitFor(file, options));
  try {
    return await task();
  } finally {
    release();
  }
}

async function waitFor(file: string, options: TaskOptions): Promise<() => void> {
  options.onProgress?.('waiting for another ublkts that is building the lab');
  const release = await acquire(file, LONGEST_WAIT_SECONDS, options);
  if (release) return release;
  throw labError(`another ublkts has been building the lab for ${LONGEST_WAIT_SECONDS / 60} minutes`, {
    hint: `see who holds ${file}: fuser -v ${file}`,
  });
}

async function acquire(file: string, seconds: number, options: TaskOptions): Promise<(() => void) | undefined> {
  const holder = spawn('flock', ['--wait', String(seconds), file, 'sh', '-c', 'echo locked; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    signal: options.signal,
  });
  const granted = Promise.withResolvers<boolean>();
  holder.stdout.once('data', () => granted.resolve(true));
  holder.once('close', () => granted.resolve(false));
  // An abort after the lock was granted arrives here too; the task itself reports it.
  holder.on('error', () =>
    options.signal?.aborted === true ? granted.resolve(false) : granted.reject(missingTool('flock', 'util-linux')),
  );
  const isGranted = await granted.promise;
  options.signal?.throwIfAborted();
  return isGranted ? () => holder.stdin.end() : undefined;
}
