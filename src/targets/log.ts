import { writeSync } from 'node:fs';

const STDERR = 2;

/** Writes a line to the server's log at once: a queue thread may not return to its event loop for a long time. */
export function serverLog(message: string): void {
  try {
    writeSync(STDERR, `${new Date().toISOString()} ${message}\n`);
  } catch {
    // A log that is full or closed must not fail the request that the line is about.
  }
}
