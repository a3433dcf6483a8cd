/** The parts of a check: each drives the handlers in its own way and says in words what it has done. */
import type { Handlers } from '../handlers/define.ts';
import type { Driven } from './driven.ts';

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
  /** Numbers from 0 to `below` - 1, the same in each run. */
  readonly random: (below: number) => number;
}

const RANDOM_REQUESTS = 1500;
const AT_ONCE = 32;
const ROUNDS = 20;
const SPEED_MS = 300;

export const PHASES: readonly Phase[] = [
  { name: 'boundaries', run: boundaries },
  { name: 'random', run: random },
  { name: 'at once', run: atOnce },
  { name: 'zeroes', run: zeroes },
  { name: 'discards', run: discards },
  { name: 'flushes', run: flushes },
  { name: 'speed', run: speed },
];

/** The first and the last block, requests of every size, and requests that meet in the middle of others. */
async function boundaries(driven: Driven, disk: Disk): Promise<string> {
  const { size, block, most } = disk;
  const lengths = [block, 2 * block, 4096, 65_536, most].filter(
    (length) => length <= Math.min(most, size) && length % block === 0,
  );
  for (const length of lengths) {
    const middle = Math.floor((size - length) / 2 / block) * block;
    for (const offset of new Set([0, size - length, middle, Math.max(0, middle - block)])) {
      if (disk.writes) await driven.write(offset, length);
      await driven.read(offset, length);
    }
  }
  await driven.read(0, Math.min(most, size));
  await driven.read(size - Math.min(most, size), Math.min(most, size));
  return `requests of ${lengths.join(', ')} bytes at the start, the end and the middle`;
}

async function random(driven: Driven, disk: Disk): Promise<string> {
  for (let i = 0; i < RANDOM_REQUESTS; i++) {
    const { offset, length } = place(disk, 16);
    if (disk.writes && disk.random(2) === 0) await driven.write(offset, length, disk.random(8) === 0);
    else await driven.read(offset, length);
  }
  return `${RANDOM_REQUESTS} reads${disk.writes ? ' and writes' : ''}, one after the other`;
}

/** Requests that do not overlap, as many at once as a queue can have. */
async function atOnce(driven: Driven, disk: Disk): Promise<string | null> {
  const most = Math.min(AT_ONCE, disk.handlers.concurrency ?? AT_ONCE, Math.floor(disk.size / disk.block));
  if (most < 2) return null;
  const part = Math.floor(disk.size / most / disk.block) * disk.block;
  for (let round = 0; round < ROUNDS; round++) {
    const requests = Array.from({ length: most }, async (_, index) => {
      const { offset, length } = place({ ...disk, size: part }, 16);
      const at = index * part + offset;
      if (disk.writes) await driven.write(at, length);
      await driven.read(at, length);
    });
    await Promise.all(requests);
  }
  return `${most} requests at once`;
}

async function zeroes(driven: Driven, disk: Disk): Promise<string | null> {
  if (disk.handlers.writeZeroes === undefined || !disk.writes) return null;
  for (let i = 0; i < 50; i++) {
    const { offset, length } = place(disk, 64);
    await driven.write(offset, length);
    await driven.writeZeroes(offset, length, i % 2 === 0);
    await driven.read(offset, length);
  }
  return 'the ranges read as zeroes';
}

/** What a discarded range reads as is the target's choice, but its neighbours must stay. */
async function discards(driven: Driven, disk: Disk): Promise<string | null> {
  if (disk.handlers.discard === undefined || !disk.writes) return null;
  const { block } = disk;
  const unit = disk.handlers.discardGranularity ?? block;
  const length = 4 * unit;
  if (disk.size < 4 * length) return null;
  for (let i = 0; i < 50; i++) {
    const offset = unit + disk.random(Math.floor((disk.size - length) / unit) - 2) * unit;
    await driven.write(offset - block, block);
    await driven.write(offset + length, block);
    await driven.discard(offset, length);
    await driven.read(offset - block, block);
    await driven.read(offset + length, block);
    await driven.write(offset, block);
    await driven.read(offset, block);
  }
  return 'their neighbours stay, and the ranges can be written again';
}

async function flushes(driven: Driven, disk: Disk): Promise<string | null> {
  if (disk.handlers.flush === undefined) return null;
  for (let i = 0; i < 10; i++) {
    if (disk.writes) await driven.write(0, disk.block);
    await driven.flush();
  }
  return 'ten of them';
}

/** Requests per second without a kernel: what the handlers themselves cost. */
async function speed(driven: Driven, disk: Disk): Promise<string> {
  const length = Math.min(disk.most, Math.max(4096, disk.block), disk.size);
  const buffer = Buffer.alloc(length);
  const rates: string[] = [];
  const measure = async (name: string, call: (offset: number) => unknown): Promise<void> => {
    const from = performance.now();
    let count = 0;
    for (; performance.now() - from < SPEED_MS; count++) {
      const outcome = call(disk.random(Math.floor((disk.size - length) / disk.block) + 1) * disk.block);
      if (outcome instanceof Promise) await outcome;
    }
    const perSecond = count / ((performance.now() - from) / 1000);
    rates.push(`${Math.round(perSecond).toLocaleString('en-US')} ${name} of ${length} bytes a second`);
  };
  await measure('reads', (offset) => disk.handlers.read(buffer, offset));
  await driven.requireReleased();
  return `${rates.join(', ')}, one after the other, without a kernel`;
}

/** A place for a request of at most `blocks` blocks, and now and then of the largest size. */
function place({ size, block, most, random: below }: Disk, blocks: number): { offset: number; length: number } {
  const limit = Math.floor(Math.min(most, size) / block);
  const count = below(50) === 0 ? limit : 1 + below(Math.min(blocks, limit));
  const length = count * block;
  // Half of the requests are near the start, so that they overlap.
  const room = (size - length) / block + 1;
  const near = Math.min(room, 256);
  return { offset: below(below(2) === 0 ? near : room) * block, length };
}
