/**
 * The hand for processors that `code.ts` knows no instructions of, and where a file in memory may not be executed:
 * `node main.js TASK`, a HandTask as JSON.
 */
import { openSync, statSync } from 'node:fs';
import { io_uring_enter } from '../libc/calls.ts';
import { callInt } from '../libc/ffi.ts';
import { ERRNO } from '../uapi/errno.ts';
import { IORING_ENTER_GETEVENTS } from '../uapi/io-uring-enter.ts';
import { HAND_RING_FD } from './ring-fd.ts';
import { ANSWERED, type FileTask, type HandTask } from './task.ts';

const { EINTR } = ERRNO;

const task = JSON.parse(process.argv[2] ?? '') as HandTask;
if (task.call === 'ring') enterRing(task.entries);
else process.exitCode = ANSWERED + errnoOf(task);

function enterRing(entries: number): void {
  // -EINTR: nothing was submitted.
  while (io_uring_enter(HAND_RING_FD, entries, entries, IORING_ENTER_GETEVENTS, new Uint8Array(0)) === -EINTR);
}

function errnoOf(task: FileTask): number {
  try {
    if (task.call === 'stat') statSync(task.path);
    else return fallocate(openSync(task.path, 'r+'), task.bytes);
    return 0;
  } catch (error) {
    return -((error as NodeJS.ErrnoException).errno ?? -ERRNO.EIO);
  }
}

function fallocate(fd: number, bytes: number): number {
  const { value, errno } = callInt('fallocate', fd, 0, BigInt(bytes - 1), 1n);
  return value < 0 ? errno : 0;
}
