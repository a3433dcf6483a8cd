import { writeSync } from 'node:fs';
import { shortened } from '../text/shortened.ts';

const STDERR = 2;
/** A stack of hundreds of lines fits; an error with megabytes of text does not push out what was logged before. */
const MOST_CHARACTERS = 16_384;

let subject = '';

/** Begins each later line of this thread with the device: a resident server has one log for all of its devices. */
export function logFor(device: number): void {
  subject = `device ${device}: `;
}

/** Writes a line to the server's log at once: a queue thread may not return to its event loop for a long time. */
export function serverLog(message: string): void {
  try {
    writeSync(STDERR, `${new Date().toISOString()} ${subject}${shortened(message, MOST_CHARACTERS)}\n`);
  } catch {
    // A log that is full or closed must not fail the request that the line is about.
  }
}
