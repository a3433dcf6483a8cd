/**
 * Keeps a log from filling the file system of the run directory, which is memory, and which the records of all devices share.
 * All who write to the log must append (O_APPEND).
 */
import { closeSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import { endOfFile } from './end-of-file.ts';

/** A log with more bytes is shortened to its last KEPT bytes. */
const MOST = 8 << 20;
const KEPT = 1 << 20;

/** Shortens the log when it is too long. It stays as it is when that is not possible, for example because it is gone. */
export function shortenLog(path: string): void {
  try {
    const { size } = statSync(path);
    if (size <= MOST) return;
    const end = endOfFile(path, 0, KEPT);
    // What is written between these calls is lost, too.
    const fd = openSync(path, 'a');
    try {
      const first = `${new Date().toISOString()} this log had ${size} bytes: only its end is kept\n`;
      ftruncateSync(fd, 0);
      writeSync(fd, first + end.slice(end.indexOf('\n') + 1));
    } finally {
      closeSync(fd);
    }
  } catch {
    // It is tried again.
  }
}
