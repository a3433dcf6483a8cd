/**
 * Queue threads on the io_uring of this machine, with a file in place of a char device: the kernel refuses their commands, so
 * that they fail as on a driver that refuses. Needs a build.
 */
import assert from 'node:assert/strict';
import { closeSync, readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Ring } from '../../src/native/ring/ring.ts';
import { isRingRefusal } from '../../src/native/ring/setup-failure.ts';
import { createMemfd, mapAnonymous } from '../../src/native/memory.ts';
import { ShmemTable } from '../../src/queue/shmem-table.ts';
import { QueueThreads, type ThreadSetup } from '../../src/server/queue-threads.ts';
import { FeatureSet } from '../../src/spec/features.ts';
import { ADD_DEFAULTS } from '../../src/spec/options.ts';
import { resolve } from '../../src/spec/resolve.ts';
import { nullTarget } from '../../src/targets/null/index.ts';

const spec = resolve({ ...ADD_DEFAULTS, target: 'null', depth: 32, queues: 1 }, nullTarget, FeatureSet.all);
const memory = mapAnonymous(1 << 16, 'of descriptors, buffers and statistics');

function setup(charFd: number, more: Partial<ThreadSetup> = {}): ThreadSetup {
  const { address } = memory;
  return {
    deviceId: 7,
    index: 0,
    spec,
    layout: { kind: 'queue' },
    cpus: [],
    targetState: null,
    operations: 1,
    charFd,
    files: [],
    descriptors: address,
    queueDescriptorBytes: 4096,
    buffers: address,
    integrityBuffers: 0n,
    integrityBytes: 0,
    stats: address,
    statsBytes: memory.length,
    statsBlocks: [0],
    shmemTable: new SharedArrayBuffer(ShmemTable.BYTES),
    ...more,
  };
}

describe('the queue threads of a device', { skip: refusal() }, () => {
  test('that were started before one that cannot be are ended, and nothing of them is left', async () => {
    const file = createMemfd('char', 4096);
    // Node keeps some descriptors of the first thread that it starts.
    await startAndRelease(file);
    const before = descriptors();
    await startAndRelease(file);
    assert.equal(descriptors(), before);
    closeSync(file);
  });
});

async function startAndRelease(file: number): Promise<void> {
  const threads = new QueueThreads();
  // Nobody can send a function to a thread: it stands for whatever keeps one from being started.
  const refused = setup(file, { index: 1, targetState: () => {} });
  assert.throws(() => threads.start([setup(file), refused]), { name: 'DataCloneError' });
  await threads.release();
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

function refusal(): string | false {
  try {
    new Ring(4, 8).close();
    return false;
  } catch (error) {
    if (isRingRefusal(error)) return 'io_uring is not allowed here';
    throw error;
  }
}
