import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  checkBufferMemory,
  needsBuffersAtOnce,
  readMemory,
  readMemoryAtSpeed,
} from '../../src/server/memory-budget.ts';

const MiB = 1 << 20;
const MEMORY = { total: 2048 * MiB, available: 1024 * MiB, atSpeed: 1024 * MiB, limited: false };

describe('the memory of I/O buffers', () => {
  test('what is available needs no word, what could be is a note, what cannot be is refused with the figure', () => {
    assert.deepEqual(checkBufferMemory({ queues: 2, depth: 128, bytes: MiB }, false, MEMORY), []);
    const [note] = checkBufferMemory({ queues: 4, depth: 300, bytes: MiB }, false, MEMORY);
    assert.match(note ?? '', /4 queues of 300 requests of 1M come to 1.2G, and 1G of memory is available/);
    assert.throws(() => checkBufferMemory({ queues: 2, depth: 4096, bytes: 32 * MiB }, true, MEMORY), {
      code: 'ENOMEM',
      kind: 'unsupported',
      message: /come to 256G, and there are 2G of memory/,
    });
  });

  test('what is to be had at once and does not fit now is refused', () => {
    assert.deepEqual(checkBufferMemory({ queues: 2, depth: 128, bytes: MiB }, true, MEMORY), []);
    assert.throws(() => checkBufferMemory({ queues: 4, depth: 300, bytes: MiB }, true, MEMORY), {
      kind: 'unsupported',
      message: /come to 1\.2G, and 1G of memory is available: `mlock` needs it now/,
    });
  });

  test('in a control group with a limit, buffers are to be had at once', () => {
    const group = { ...MEMORY, limited: true };
    const buffers = { queues: 4, depth: 250, bytes: MiB };
    assert.deepEqual(checkBufferMemory({ ...buffers, depth: 240 }, false, group), []);
    assert.throws(() => checkBufferMemory({ ...buffers, depth: 256 }, false, group), {
      kind: 'unsupported',
      message: /come to 1G, and 1G of memory is available in the control group: .* the server itself needs 24M/,
    });
    assert.ok(needsBuffersAtOnce(false, group));
    assert.ok(!needsBuffersAtOnce(false, MEMORY));
  });

  test('over memory.high, buffers that are to be had at once are refused, and others are a note', () => {
    const group = { ...MEMORY, atSpeed: 512 * MiB };
    const buffers = { queues: 2, depth: 256, bytes: MiB };
    assert.deepEqual(checkBufferMemory(buffers, true, group), []);
    const [note] = checkBufferMemory({ ...buffers, depth: 300 }, false, group);
    assert.match(
      note ?? '',
      /slows down whoever needs more than another 512M \(memory\.high\): a full load may be slow$/,
    );
    for (const [mlock, limited] of [
      [true, false],
      [false, true],
    ] as const) {
      assert.throws(() => checkBufferMemory({ ...buffers, depth: 300 }, mlock, { ...group, limited }), {
        code: 'ENOMEM',
        message: /\(memory\.high\): all of them need their memory now$/,
      });
    }
  });

  test('a control group, or one above it, has the last word, and memory.high where nobody is to sleep', () => {
    const root = mkdtempSync(join(tmpdir(), 'ublkts-memory-'));
    try {
      mkdirSync(`${root}/proc/self`, { recursive: true });
      mkdirSync(`${root}/sys/fs/cgroup/outer/inner`, { recursive: true });
      writeFileSync(`${root}/proc/meminfo`, 'MemTotal:  1024 kB\nMemFree: 1 kB\nMemAvailable:   512 kB\n');
      assert.deepEqual(readMemory(root), { total: 1048576, available: 524288, atSpeed: 524288, limited: false });
      writeFileSync(`${root}/proc/self/cgroup`, '0::/outer/inner\n');
      writeFileSync(`${root}/sys/fs/cgroup/outer/memory.max`, '400000\n');
      writeFileSync(`${root}/sys/fs/cgroup/outer/memory.current`, '150000\n');
      writeFileSync(
        `${root}/sys/fs/cgroup/outer/memory.stat`,
        'anon 100000\nfile 70000\ninactive_file 30000\nactive_file 20000\n',
      );
      writeFileSync(`${root}/sys/fs/cgroup/outer/inner/memory.max`, 'max\n');
      const limited = { total: 400000, available: 300000, atSpeed: 300000, limited: true };
      assert.deepEqual(readMemory(root), limited);
      writeFileSync(`${root}/sys/fs/cgroup/outer/memory.high`, '300000\n');
      assert.deepEqual(readMemory(root), { ...limited, atSpeed: 200000 });
      assert.deepEqual(readMemoryAtSpeed(root), { ...limited, available: 200000, atSpeed: 200000 });
      writeFileSync(`${root}/sys/fs/cgroup/outer/memory.max`, 'max\n');
      assert.equal(readMemory(root).limited, false);
      assert.equal(readMemoryAtSpeed(root).limited, true);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
