/** The parts of a shared thread that are pure: the statistics of a batch, and which devices have lanes. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LaneConfig } from '../../src/queue/shared/lane-config.ts';
import { fillLaneSlots } from '../../src/queue/shared/lane-slots.ts';
import { Lanes } from '../../src/queue/shared/lanes.ts';
import { SharedStats } from '../../src/queue/shared/parts.ts';
import { Slots } from '../../src/queue/slots.ts';
import { FeatureSet } from '../../src/spec/features.ts';
import { ADD_DEFAULTS, type AddOptions } from '../../src/spec/options.ts';
import { resolve } from '../../src/spec/resolve.ts';
import { SharedThreads } from '../../src/server/shared/shared-threads.ts';
import { Block, BLOCK_BYTES, BlockF64, STAT_WAYS } from '../../src/stats/layout.ts';
import { StatsWriter } from '../../src/stats/writer.ts';
import { builtInTarget } from '../../src/targets/registry.ts';
import { NullQueue } from '../../src/targets/null/queue.ts';

const COPIED = STAT_WAYS.indexOf('copied');

function specOf(options: Partial<AddOptions> = {}) {
  const target = options.target ?? 'null';
  const type = builtInTarget(target);
  assert.ok(type !== undefined);
  return resolve({ ...ADD_DEFAULTS, target, ...options }, type, FeatureSet.all);
}

function lane(number: number, firstSlot: number): LaneConfig {
  return {
    lane: number,
    deviceId: number,
    spec: specOf({ depth: 4, queues: 1 }),
    queue: 0,
    firstSlot,
    descriptorsAt: number * 4096,
    firstFile: number * 10,
    files: [],
    firstBuffer: -1,
    buffers: 0x7f00_0000_0000n,
    targetState: null,
    stats: 0n,
  };
}

describe('the lanes of a shared thread', () => {
  const writers = [0, 1].map(() => new StatsWriter(new ArrayBuffer(BLOCK_BYTES), 0, BLOCK_BYTES));
  const slots = new Slots(64);
  const lanes = new Lanes(64, 2);
  for (const [number, writer] of writers.entries()) {
    const config = lane(number, number * 8);
    const way = fillLaneSlots(slots, config);
    lanes.open({ config, target: new NullQueue(), writer, way });
  }

  test('have slots side by side, each with what is its own', () => {
    assert.deepEqual([...lanes.of.subarray(8, 12)], [1, 1, 1, 1]);
    assert.deepEqual([...slots.targetFirst.subarray(8, 12)], [8, 8, 8, 8]);
    assert.deepEqual([...slots.firstFile.subarray(8, 12)], [11, 11, 11, 11]);
    assert.deepEqual([...slots.queueTag.subarray(8, 12)], [0, 1 << 16, 2 << 16, 3 << 16]);
    assert.deepEqual([...slots.descriptor.subarray(8, 10)], [1024, 1024 + 6]);
    assert.equal(slots.dataIndex[9], -1);
    assert.equal(slots.commandHi[9], 0x7f00);
    assert.equal(slots.commandLo[9], 1 << 20);
    assert.equal(lanes.way[1], COPIED);
  });

  test('count in a batch only if they have requests in it, and once', () => {
    const stats = new SharedStats(lanes, 2);
    stats.batchBegin();
    for (const slot of [8, 9]) {
      stats.of(slot).arrived();
      assert.equal(writers[1]!.words[Block.seq]! & 1, 1, 'it is being written');
    }
    stats.of(8).finished(0, COPIED, 4096);
    stats.batchEnd();
    stats.batchBegin();
    stats.batchEnd();
    assert.deepEqual(
      writers.map(({ counters, words }) => [counters[BlockF64.batches], words[Block.seq], words[Block.arrived]]),
      [
        [0, 0, 0],
        [1, 2, 2],
      ],
    );
  });

  test('that have closed are known no more', () => {
    lanes.close(1);
    assert.throws(() => lanes.config(1), RangeError);
    assert.equal(lanes.config(0).deviceId, 0);
  });
});

test('shared threads serve what leaves them to others', () => {
  const threads = new SharedThreads({ threads: 1, cpus: [] });
  assert.ok(threads.takes(specOf()));
  assert.ok(threads.takes(specOf({ target: 'loop', files: ['/a'], queues: 4 })));
  const own: Partial<AddOptions>[] = [
    { features: ['BATCH_IO'] },
    { features: ['SHMEM_ZC'] },
    { dataPath: 'user_copy' },
    { threads: 4, perIoTasks: true },
    { cpus: [0] },
    { target: 'fault_inject' },
    { debugMask: 4 },
    { noUblkFixedFd: true },
  ];
  assert.ok(!new SharedThreads({ threads: 0, cpus: [] }).takes(specOf()), 'without shared threads');
  for (const options of own) assert.ok(!threads.takes(specOf(options)), JSON.stringify(options));
});
