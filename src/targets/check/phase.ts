/** One part of a check, and the target as it sees it. */
import type { Handlers } from '../handlers/define.ts';
import type { Driven } from './driven.ts';
import type { FileCalls } from './file-calls.ts';

export interface Phase {
  readonly name: string;
  /** Resolves to what was done; throws a Misbehaviour. null: there is nothing to do for this target. */
  run(driven: Driven, disk: Disk): Promise<string | null>;
}

/** The target as the phases see it. */
export interface Disk {
  readonly handlers: Handlers;
  readonly size: number;
  readonly block: number;
  /** Bytes of the largest request. */
  readonly most: number;
  readonly writes: boolean;
  /** The handlers of a second thread; null for a target that one thread serves. */
  readonly second: Driven | null;
  /** What the target does to files. */
  readonly calls: FileCalls;
  /** Numbers from 0 to `below` - 1, the same in each run. */
  readonly random: (below: number) => number;
}

/** A place for a request of at most `blocks` blocks, and now and then of the largest size. */
export function place({ size, block, most, random: below }: Disk, blocks: number): { offset: number; length: number } {
  const limit = Math.floor(Math.min(most, size) / block);
  const count = below(50) === 0 ? limit : 1 + below(Math.min(blocks, limit));
  const length = count * block;
  // Half of the requests are near the start, so that they overlap.
  const room = (size - length) / block + 1;
  const near = Math.min(room, 256);
  return { offset: below(below(2) === 0 ? near : room) * block, length };
}
