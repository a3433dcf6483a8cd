/**
 * A shared thread on the io_uring of this machine, with files in place of char devices: the kernel refuses their commands,
 * so that lanes are opened, refused and taken back as those of the driver are. Needs a build.
 */
import assert from 'node:assert/strict';
import { closeSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createMemfd, mapAnonymous } from '../../src/native/memory.ts';
import { FeatureSet } from '../../src/spec/features.ts';
import { ADD_DEFAULTS } from '../../src/spec/options.ts';
import { resolve } from '../../src/spec/resolve.ts';
import { type LaneRequest, SharedThread } from '../../src/server/shared/shared-thread.ts';
import { SharedThreads } from '../../src/server/shared/shared-threads.ts';
import { nullTarget } from '../../src/targets/null/index.ts';
import { ringRefusal } from '../native/ring-refusal.ts';

const spec = resolve({ ...ADD_DEFAULTS, target: 'null', depth: 32, queues: 1 }, nullTarget, FeatureSet.all);
const NO_FILE = 999_999;
/** Nobody can send a function to a thread: it stands for whatever keeps one from being started. */
const NOT_A_CPU = (): void => {};
const startRefused = (): SharedThread => new SharedThread(0, [NOT_A_CPU as unknown as number]);
const stats = mapAnonymous(4096, 'of statistics');

function lane(charFd: number): LaneRequest {
  const { address } = stats;
  const same = { deviceId: 7, spec, queue: 0, buffers: 0n, targetState: null, targetFiles: [] };
  return { ...same, charFd, registers: false, stats: address };
}

describe('a shared thread', { skip: ringRefusal() }, () => {
  test('takes lanes, gives their places back, and ends', async () => {
    const before = descriptors();
    const thread = new SharedThread(0, []);
    const file = createMemfd('char', 4096);
    for (let round = 0; round < 3; round++) {
      const lanes = [lane(file), lane(file)].map((request) => thread.reserve(request)!);
      assert.equal(thread.load, 64);
      for (const one of lanes) {
        const { fetched, left } = one.serve();
        await assert.rejects(fetched, /device 7|refused to deliver/);
        await left;
      }
      assert.equal(thread.load, 0);
    }
    const unused = thread.reserve(lane(file));
    unused?.giveBack();
    assert.ok(thread.works);
    await thread.end();
    assert.ok(!thread.works);
    assert.doesNotMatch(readFileSync('/proc/self/maps', 'latin1'), /memfd:char/);
    closeSync(file);
    // The pipe of the first thread that Node starts stays.
    assert.ok(descriptors() <= before + 2, `${before} descriptors became ${descriptors()}`);
  });

  test('that cannot be started leaves nothing behind', () => {
    assert.throws(startRefused, { name: 'DataCloneError' });
    const before = [descriptors(), mappings()];
    for (let round = 0; round < 3; round++) assert.throws(startRefused, { name: 'DataCloneError' });
    assert.deepEqual([descriptors(), mappings()], before);
  });

  test('is started when it is needed, and has the fewest slots when it is chosen', async () => {
    const threads = new SharedThreads({ threads: 2, cpus: [] });
    const file = createMemfd('char', 4096);
    const lanes = threads.serve([lane(file), lane(file), lane(file)]);
    assert.equal(lanes?.length, 3);
    for (const { fetched, left } of lanes ?? []) {
      await assert.rejects(fetched);
      await left;
    }
    // The second has no descriptors that could be mapped: the first gives its places back.
    assert.throws(() => threads.serve([lane(file), lane(NO_FILE)]), { code: 'EBADF' });
    assert.doesNotMatch(readFileSync('/proc/self/maps', 'latin1'), /memfd:char/);
    await threads.end();
    closeSync(file);
  });
});

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** How many mappings are as large as the descriptors of a shared thread. */
function mappings(): number {
  const ranges = readFileSync('/proc/self/maps', 'latin1').matchAll(/^([0-9a-f]+)-([0-9a-f]+) /gm);
  const sizes = [...ranges].map(([, from, to]) => Number(BigInt(`0x${to}`) - BigInt(`0x${from}`)));
  return sizes.filter((size) => size >= 8192 * 4096).length;
}
