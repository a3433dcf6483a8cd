/** The failures of a target's handlers: each kind is logged once with its stack, and counted from then on. */
import { ERRNO } from '../../native/uapi/errno.ts';
import { describeThrown } from '../load/thrown.ts';
import { errnoOf } from './errors.ts';
import { serverLog } from '../log.ts';

/** How many kinds are told apart; what comes after them is counted by the statistics alone. */
const KINDS = 64;

export class Failures {
  private readonly file: string;
  private readonly seen = new Set<string>();

  /** `file`: the target's. */
  constructor(file: string) {
    this.file = file;
  }

  /** Logs what a handler has thrown, if its like was not logged before. Returns the errno (above 0) for the client. */
  note(thrown: unknown, what: string): number {
    try {
      this.log(thrown, what);
    } catch {
      // The value has no text, or throws when it is looked at: its code is the client's all the same.
    }
    try {
      return errnoOf(thrown);
    } catch {
      return ERRNO.EIO;
    }
  }

  private log(thrown: unknown, what: string): void {
    const kind = `${what}: ${describeThrown(thrown, this.file)}`;
    if (this.seen.size >= KINDS || this.seen.has(kind)) return;
    this.seen.add(kind);
    const stack = thrown instanceof Error && thrown.stack !== undefined ? `\n${thrown.stack}` : '';
    serverLog(`${this.file}: ${kind}; its like is counted and not logged again${stack}`);
  }
}
