/**
 * Drives the handlers of a target as a queue thread does, and compares what they do with a model. Buffers are poisoned
 * before a read, so that bytes that were not filled show, and after each request, so that a handler shows that uses a
 * buffer which is not its own any more.
 */
import { randomFillSync } from 'node:crypto';
import { withinMs } from '../../control/waiting.ts';
import type { Handlers, WriteZeroesOptions } from '../handlers/define.ts';
import { promiseOf, UnexpectedResult } from '../handlers/outcome.ts';
import { describeThrown, readable } from '../load/thrown.ts';
import { shortened } from '../../text/shortened.ts';
import { Model } from './model.ts';

/** Two patterns for what a read finds in its buffer: data that happens to be one of them is not the other. */
const BEFORE = [0xa5, 0x5a] as const;
const AFTER = 0xdb;
/** How long a request may take. */
export const REQUEST_SECONDS = 10;
/** The most characters of an error's message that a finding has. */
const MESSAGE = 2000;
/** How many buffers that were given back are watched. */
const WATCHED = 256;

/** Is told what code of the target is called next, and within how many seconds that should be over. */
export type Begin = (what: string, seconds: number) => void;

/** A sentence about what a target does wrong. */
export class Misbehaviour extends Error {}

export class Driven {
  readonly model: Model;
  requests = 0;
  bytes = 0;
  private readonly handlers: Handlers;
  private readonly begun: Begin;
  private readonly released: { readonly buffer: Buffer; readonly what: string }[] = [];
  private reads = 0;

  /** `model`: what the disk holds, where other handlers have the same disk. */
  constructor(handlers: Handlers, begun: Begin, model = new Model(handlers.blockSize ?? 512)) {
    this.handlers = handlers;
    this.begun = begun;
    this.model = model;
  }

  async read(offset: number, length: number): Promise<void> {
    const what = `read of ${length} bytes at ${offset}`;
    const pattern = BEFORE[this.reads++ % BEFORE.length]!;
    const buffer = Buffer.alloc(length, pattern);
    await this.call(what, () => this.handlers.read(buffer, offset));
    const wrong = this.model.compare(offset, buffer);
    const unfilled = wrong >= 0 && buffer[wrong] === pattern && buffer[Math.min(length - 1, wrong + 1)] === pattern;
    if (unfilled) throw new Misbehaviour(`a ${what} did not fill its buffer from byte ${wrong} on`);
    if (wrong >= 0 && buffer[wrong] === AFTER && buffer[Math.min(length - 1, wrong + 1)] === AFTER) {
      throw new Misbehaviour(
        `a ${what} returned what a buffer had after its request: \`write\` keeps its buffer instead of a copy`,
      );
    }
    if (wrong >= 0) throw new Misbehaviour(`a ${what} returned something else at byte ${wrong} than was written there`);
    this.count(length);
    await this.release(buffer, what);
  }

  async write(offset: number, length: number, fua = false): Promise<void> {
    const what = `write of ${length} bytes at ${offset}`;
    const buffer = randomFillSync(Buffer.alloc(length));
    const data = Buffer.from(buffer);
    try {
      // A server freezes the options, too.
      await this.call(what, () => this.handlers.write?.(buffer, offset, Object.freeze({ fua })));
    } catch (error) {
      // Some of it may be there.
      this.model.forget(offset, length);
      throw error;
    }
    if (!buffer.equals(data)) throw new Misbehaviour(`a ${what} changed its buffer, which can be a client's memory`);
    this.model.write(offset, data);
    this.count(length);
    await this.release(buffer, what);
  }

  async discard(offset: number, length: number): Promise<void> {
    await this.call(`discard of ${length} bytes at ${offset}`, () => this.handlers.discard?.(offset, length));
    this.model.forget(offset, length);
    this.count(0);
  }

  async writeZeroes(offset: number, length: number, options: WriteZeroesOptions): Promise<void> {
    const what = `writeZeroes of ${length} bytes at ${offset}`;
    await this.call(what, () => this.handlers.writeZeroes?.(offset, length, Object.freeze({ ...options })));
    this.model.zero(offset, length);
    this.count(0);
  }

  async flush(): Promise<void> {
    await this.call('flush', () => this.handlers.flush?.());
    this.count(0);
  }

  /** Throws when somebody has written to a buffer after it was given back. */
  async requireReleased(): Promise<void> {
    // What is left to do of the requests gets its turn.
    await new Promise((resolve) => setTimeout(resolve, 1));
    for (const { buffer, what } of this.released) {
      if (!buffer.equals(Buffer.alloc(buffer.length, AFTER)))
        throw new Misbehaviour(`the buffer of a ${what} was written to after the request was done`);
    }
  }

  /** Calls handlers, and waits until they are done. `what`: one of them, for messages. */
  async call(what: string, handlers: () => unknown): Promise<void> {
    this.begun(`a ${what}`, REQUEST_SECONDS);
    const failure = await failureOf(`a ${what}`, REQUEST_SECONDS, async () => {
      const promise = promiseOf(handlers());
      const value = promise === null ? undefined : await promise;
      if (value !== undefined) throw new UnexpectedResult('its promise was fulfilled with', value);
    });
    if (failure === null) return;
    const { thrown } = failure;
    const why = thrown instanceof Error ? shortened(thrown.message, MESSAGE) : describeThrown(thrown, '');
    throw new Misbehaviour(`a ${what} failed: ${why}`, { cause: thrown });
  }

  private async release(buffer: Buffer, what: string): Promise<void> {
    buffer.fill(AFTER);
    this.released.push({ buffer, what });
    if (this.released.length <= WATCHED) return;
    await this.requireReleased();
    this.released.splice(0, WATCHED / 2);
  }

  private count(bytes: number): void {
    this.requests++;
    this.bytes += bytes;
  }
}

/** A call of the target's code that has thrown. */
export interface Failure {
  readonly thrown: unknown;
}

/** Runs code of the target. Resolves to null when it has succeeded. Rejects with a Misbehaviour when it takes longer than `seconds`. */
export async function failureOf(what: string, seconds: number, run: () => Promise<void>): Promise<Failure | null> {
  const from = performance.now();
  const settled = caught(run);
  const left = seconds * 1000 - (performance.now() - from);
  if (left <= 0) throw new Misbehaviour(`${what} has not returned within ${seconds} s`);
  const failure = await withinMs<Failure | null, 'late'>(settled, left, 'late');
  if (failure === 'late') throw new Misbehaviour(`${what} did not settle within ${seconds} s`);
  return failure;
}

async function caught(run: () => Promise<void>): Promise<Failure | null> {
  try {
    await run();
    return null;
  } catch (error) {
    return { thrown: readable(error) };
  }
}
