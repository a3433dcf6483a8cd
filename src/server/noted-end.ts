/**
 * Writes down in a device's record how its server ends. Nothing depends on that: when /run is full, the log says so, and the
 * device is let go all the same.
 */
import { isCurrent } from '../record/attempt.ts';
import type { Ending } from '../record/device-record.ts';
import { readRecord, recordEnd, recordUnclosed } from '../record/store.ts';
import { describeFailure } from '../errors.ts';
import { log } from './log.ts';

/** `attempt`: the call that the server was started for. A record of another call stays as it is. */
export function noteEnd(id: number, reason: Ending['reason'], message: string | null, attempt?: string): void {
  attemptTo(id, () => {
    const record = readRecord(id);
    if (record !== null && isCurrent(record, attempt)) recordEnd(id, reason, message);
  });
}

export function noteUnclosed(id: number, problem: string): void {
  attemptTo(id, () => recordUnclosed(id, problem));
}

function attemptTo(id: number, write: () => void): void {
  try {
    write();
  } catch (error) {
    const why = error instanceof Error ? error.message : describeFailure(error);
    log(`the record of device ${id} does not say how its server ended: ${why}`);
  }
}
