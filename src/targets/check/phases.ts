/** The parts of a check: each drives the handlers in its own way and says in words what it has done. */
import type { Driven } from './driven.ts';
import { promiseOf } from '../handlers/outcome.ts';
import { durability, errors } from './file-phases.ts';
import { type Disk, type Phase, place } from './phase.ts';

const RANDOM_REQUESTS = 1500;
const AT_ONCE = 32;
const ROUNDS = 20;
const SPEED_MS = 200;

export const PHASES: readonly Phase[] = [
  { name: 'boundaries', run: boundaries },
  { name: 'random', run: random },
  { name: 'at once', run: atOnce },
  { name: 'zeroes', run: zeroes },
  { name: 'discards', run: discards },
  { name: 'flushes', run: flushes },
  { name: 'two threads', run: twoThreads },
  { name: 'durability', run: durability },
  { name: 'speed', run: speed },
  // Last: what it does to a target may last.
  { name: 'errors', run: errors },
];

/** The first and the last block, requests of every size, and requests that meet in the middle of others. */
async function boundaries(driven: Driven, disk: Disk): Promise<string> {
  const { size, block, most } = disk;
  const lengths = [...new Set([block, 2 * block, 4096, 65_536, most])].filter(
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
    await driven.writeZeroes(offset, length, { unmap: i % 2 === 0, fua: i % 4 < 2 });
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

/** What one thread has written, the other one reads, one after the other and both at once. */
async function twoThreads(first: Driven, disk: Disk): Promise<string | null> {
  const { second } = disk;
  if (second === null || !disk.writes) return null;
  const half = Math.floor(disk.size / 2 / disk.block) * disk.block;
  for (let i = 0; i < 200; i++) {
    const [writer, reader] = i % 2 === 0 ? [first, second] : [second, first];
    const { offset, length } = place({ ...disk, size: half }, 16);
    await Promise.all([writer.write(offset, length), reader.write(half + offset, length)]);
    await Promise.all([reader.read(offset, length), writer.read(half + offset, length)]);
  }
  return 'what one writes, the other reads';
}

/**
 * Requests per second without a kernel: what the handlers themselves cost. They are to a part of the disk that has been written:
 * memory that is used for the first time costs far more than a handler, in huge pages, and a hole far less.
 */
async function speed(driven: Driven, disk: Disk): Promise<string> {
  const { handlers } = disk;
  const length = Math.min(disk.most, Math.max(4096, disk.block), disk.size);
  const part = Math.floor(Math.min(disk.most, disk.size) / disk.block) * disk.block;
  const places = Math.floor((part - length) / disk.block) + 1;
  if (disk.writes) await driven.write(0, part);
  const most = Math.min(AT_ONCE, handlers.concurrency ?? AT_ONCE);
  const buffers = Array.from({ length: most }, () => Buffer.alloc(length));
  const measure = async (what: string, call: (buffer: Buffer, offset: number) => unknown): Promise<string> => {
    const from = performance.now();
    let count = 0;
    let isAsync = false;
    const one = async (buffer: Buffer): Promise<void> => {
      for (; performance.now() - from < SPEED_MS; count++) {
        const promise = promiseOf(call(buffer, disk.random(places) * disk.block));
        if (promise === null) continue;
        isAsync = true;
        await promise;
      }
    };
    await driven.call(`${what} of ${length} bytes`, async () => void (await Promise.all(buffers.map(one))));
    const perSecond = count / ((performance.now() - from) / 1000);
    const how = isAsync ? ` (${most} at once)` : '';
    return `${Math.round(perSecond).toLocaleString('en-US')}${how}`;
  };
  const reads = await measure('read', (buffer, offset) => handlers.read(buffer, offset));
  const writes = disk.writes
    ? await measure('write', (buffer, offset) => handlers.write?.(buffer, offset, { fua: false }))
    : null;
  // Nobody has taken note of what these have written.
  driven.model.forgetAll();
  await driven.requireReleased();
  return `requests of ${length} bytes a second: ${reads} reads${writes === null ? '' : `, ${writes} writes`}, without a kernel`;
}
