/** The requests that wait because there is no connection: they are reported when that takes long, and may have to fail. */
import { ERRNO } from '../../../native/uapi/errno.ts';
import { offsetOf } from '../../handlers/request.ts';
import type { ThreadEvents } from '../../target.ts';
import type { Waiting } from './waiting.ts';

const { EIO } = ERRNO;

export class Stranded {
  private readonly waiting: Waiting;
  private readonly events: ThreadEvents;
  private readonly slots: readonly number[];

  constructor(slots: number, waiting: Waiting, events: ThreadEvents) {
    this.waiting = waiting;
    this.events = events;
    this.slots = Array.from({ length: slots }, (_, slot) => slot);
  }

  /** Reports those that have waited since then. */
  report(sinceMs: number): void {
    const { losses } = this.waiting;
    const late = this.late();
    const first = late.find((slot) => losses.sinceOf(slot) === losses.oldest);
    if (first === undefined) return;
    const io = this.events.request(first);
    this.events.reportStuck({ requests: late.length, op: io.op, offset: offsetOf(io), sinceMs });
  }

  /** Lets all of them fail. */
  fail(): void {
    this.events.reportStuck(null);
    this.complete(this.late());
  }

  /** Lets those fail that have waited since that time or longer. Returns how many. */
  failOverdue(since: number): number {
    const overdue = this.late().filter((slot) => this.waiting.losses.sinceOf(slot) <= since);
    this.complete(overdue);
    if (this.late().length === 0) this.events.reportStuck(null);
    return overdue.length;
  }

  private complete(slots: readonly number[]): void {
    for (const slot of slots) {
      this.waiting.forNothing(slot);
      this.events.request(slot).complete(-EIO);
    }
    this.events.submit(true);
  }

  private late(): number[] {
    return this.slots.filter((slot) => this.waiting.isForMessage(slot));
  }
}
