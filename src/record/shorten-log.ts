/**
 * Keeps a log from filling the file system of the run directory, which is memory, and which the records of all devices share.
 * All who write to the log must append (O_APPEND).
 */
import { closeSync, constants, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import { bytesAtEnd } from './end-of-file.ts';

/** A log with more bytes is shortened to its last KEPT bytes. */
const MOST = 8 << 20;
const KEPT = 1 << 20;

/** Shortens the log when it is too long. It stays as it is when that is not possible, for example because it is gone. */
export function shortenLog(path: string): void {
  try {
    const { size } = statSync(path);
    if (size <= MOST) return;
    const end = bytesAtEnd(path, 0, KEPT);
    // At a line, if one begins there at all.
    const cut = end.indexOf('\n') + 1;
    const kept = end.subarray(cut < end.length ? cut : 0);
    // Output that a program appends between these calls is lost. O_CREAT is left out, so a removed log is not made again.
    const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND);
    try {
      const first = `${new Date().toISOString()} this log had ${size} bytes: only its end is kept\n`;
      ftruncateSync(fd, 0);
      writeSync(fd, Buffer.concat([Buffer.from(first), kept]));
    } finally {
      closeSync(fd);
    }
  } catch {
    // It is tried again.
  }
}
