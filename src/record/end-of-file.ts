/** The end of a log, which may be long. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The same as `bytesAtEnd`, as text. */
export function endOfFile(path: string, skipped: number, most: number): string {
  return bytesAtEnd(path, skipped, most).toString();
}

/**
 * The last `most` bytes of a file, without the first `skipped` bytes of the file. One that has fewer bytes has been
 * shortened (shorten-log.ts), and nothing of it is skipped. Throws when it cannot be read.
 */
export function bytesAtEnd(path: string, skipped: number, most: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const start = Math.max(skipped > size ? 0 : skipped, size - most);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, start));
  } finally {
    closeSync(fd);
  }
}
