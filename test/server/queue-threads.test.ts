/**
 * Queue threads on the io_uring of this machine, with a file in place of a char device: the kernel refuses their commands, so
 * that they fail as on a driver that refuses. Needs a build.
 */
import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import { createMemfd, mapAnonymous } from '../../src/native/memory.ts';
import { ShmemTable } from '../../src/queue/shmem-table.ts';
import { QueueThreads } from '../../src/server/queue-threads.ts';
import type { ThreadSetup } from '../../src/server/queue-worker.ts';
import { FeatureSet } from '../../src/spec/features.ts';
import { ADD_DEFAULTS } from '../../src/spec/options.ts';
import { resolve } from '../../src/spec/resolve.ts';
import { nullTarget } from '../../src/targets/null/index.ts';
import { ringRefusal } from '../native/ring-refusal.ts';

const spec = resolve({ ...ADD_DEFAULTS, target: 'null', depth: 32, queues: 1 }, nullTarget, FeatureSet.all);
const FIXTURE = join(import.meta.dirname, '../fixtures/does-not-open.ts');
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

describe('the queue threads of a device', { skip: ringRefusal() }, () => {
  test('that were started before one that cannot be are ended, and nothing of them is left', async () => {
    const file = createMemfd('char', 4096);
    // Node keeps some descriptors of the first thread that it starts.
    await startAndRelease(file);
    const before = descriptors();
    await startAndRelease(file);
    assert.equal(descriptors(), before);
    closeSync(file);
  });

  test('are told apart from a defect when `open` of a file ends one, and its ring is closed', async () => {
    const file = createMemfd('char', 4096);
    for (const [options, how] of [
      [{ exit: '7' }, /it ended with exit code 7/],
      [{ hang: 'open' }, /nothing was left that could settle its promise/],
    ] as const) {
      const before = [rings(), descriptors()];
      const threads = new QueueThreads();
      threads.start([setupOf(file, options)]);
      const message = new RegExp(`\`open\` of target ${FIXTURE} ended its thread \\(0\\): ${how.source}`);
      await assert.rejects(threads.fetched(), { code: 'BAD_TARGET', message });
      await threads.release();
      assert.deepEqual([rings(), descriptors()], before);
    }
    closeSync(file);
  });

  test('say that `open` of a file does not answer', async (t) => {
    const file = createMemfd('char', 4096);
    const opens = join(mkdtempSync(join(tmpdir(), 'queue-threads-')), 'opens');
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const threads = new QueueThreads();
    threads.start([setupOf(file, { open_ms: '100000', opens })]);
    const fetched = threads.fetched();
    while (!existsSync(opens)) await immediate();
    // What the thread said before comes with the next turns of the loop.
    for (let turn = 0; turn < 10; turn++) await immediate();
    t.mock.timers.tick(60_000);
    const message = `\`open\` of target ${FIXTURE} has not answered within 60 s`;
    await assert.rejects(fetched, { code: 'TIMEOUT', message });
    const released = threads.release();
    t.mock.timers.tick(5_000);
    await released;
    rmSync(dirname(opens), { recursive: true });
    closeSync(file);
  });
});

/** The setup of a thread whose target is in a file. */
function setupOf(charFd: number, options: Readonly<Record<string, string>>): ThreadSetup {
  const request = { files: [], options, device: 7, recovering: false, deviceBytes: 0 };
  return setup(charFd, { spec: { ...spec, target: FIXTURE }, targetState: { request, shared: undefined } });
}

function rings(): number {
  return readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).includes('io_uring')).length;
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}

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
