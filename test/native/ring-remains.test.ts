/** A thread that fails leaves its ring to the process, with the library that enters it; the ring keeps the files that are registered with it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { pipe } from '../../src/native/libc/calls.ts';
import { closeRemains, type RingRemains } from '../../src/native/ring/remains.ts';
import { ringRefusal } from './ring-refusal.ts';

const LIBRARY = 'memfd:ublkts-enter';

test('the ring of a thread that has ended lets go of its files when its remains are closed', {
  skip: ringRefusal(),
}, async () => {
  const [readEnd, writeEnd] = pipe();
  const thread = new Worker(new URL('./ring-remains-thread.ts', import.meta.url), { workerData: writeEnd });
  const ended = once(thread, 'exit');
  const [remains] = (await once(thread, 'message')) as [RingRemains];
  await ended;
  closeSync(writeEnd);
  // The loader has let go of the library, so that its path can be that of another one.
  assert.ok(!readFileSync('/proc/self/maps', 'latin1').includes(LIBRARY));
  closeRemains(remains);
  assert.deepEqual(openLibraries(), []);
  // It waits until nothing has the other end any more.
  assert.equal(readSync(readEnd, Buffer.alloc(1)), 0);
  closeSync(readEnd);
});

function openLibraries(): string[] {
  return readdirSync('/proc/self/fd')
    .flatMap((fd) => linkOf(fd))
    .filter((path) => path.includes(LIBRARY));
}

/** Nothing for the descriptor with which the directory was read. */
function linkOf(fd: string): string[] {
  try {
    return [readlinkSync(`/proc/self/fd/${fd}`)];
  } catch {
    return [];
  }
}
