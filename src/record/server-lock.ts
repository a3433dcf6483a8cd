/**
 * The server lock: an exclusive lock on /run/ublkts/N.lock that a server holds for as long as it lives. The kernel
 * releases it when the server's process has ended, so a process that cannot see the server's process id, because it is
 * in another pid namespace, still knows whether there is a server.
 */
import { closeSync, constants, openSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { deviceNumber } from '../block/number.ts';
import { milliseconds } from '../clock.ts';
import { readText } from '../native/kernel-files.ts';
import { lockHolder, tryLock } from '../native/libc/file-lock.ts';
import { changing } from './run-files.ts';

/** A server that was killed keeps its lock until the kernel has closed its files. */
const LEAVING_MS = 5000;
const RETRY_MS = 20;

/**
 * Takes the lock. Returns the descriptor that has it, until it is closed or the process ends; null when another process
 * keeps the lock for longer than `patienceMs`.
 */
export async function takeServerLock(path: string, patienceMs: number = LEAVING_MS): Promise<number | null> {
  const fd = changing(path, () => openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
  const deadline = milliseconds() + patienceMs;
  while (tryLock(fd, 'exclusive') !== 0) {
    if (milliseconds() > deadline) {
      closeSync(fd);
      return null;
    }
    await sleep(RETRY_MS);
  }
  return fd;
}

/** Whether some process holds the lock; nobody does when there is no such file. A process that may not open the file learns it from /proc/locks. */
export function isServerLockHeld(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    if (code === 'EACCES') return isListedAsHeld(path);
    throw error;
  }
  try {
    return lockHolder(fd) !== null;
  } finally {
    closeSync(fd);
  }
}

/** The same from /proc/locks: a line is `1: OFDLCK ADVISORY WRITE -1 MAJOR:MINOR:INODE 0 EOF`, with the device in hexadecimal. */
function isListedAsHeld(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  // `del` may have removed the file since it was tried.
  if (stat === undefined) return false;
  const device = deviceNumber(stat.dev)
    .split(':')
    .map((part) => Number(part).toString(16).padStart(2, '0'));
  const file = [...device, stat.ino].join(':');
  return (readText('/proc/locks') ?? '').split('\n').some((line) => line.split(/\s+/)[5] === file);
}
