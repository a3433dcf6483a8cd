import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireBlockDevice } from '../../src/device/bench/block-device.ts';
import { fioWords, optionsOf } from '../../src/device/bench/fio-options.ts';
import { figuresOf, parseFioReport } from '../../src/device/bench/fio-report.ts';
import { BENCH_ROWS, rowName, rowsFor } from '../../src/device/bench/rows.ts';
import { runFio } from '../../src/device/bench/run-fio.ts';
import { sharesBetween } from '../../src/device/bench/shares.ts';
import type { DeviceStats } from '../../src/stats/reader.ts';

const READ = { direction: 'read', blockSize: '4k', depth: 32 } as const;
const WRITE = { direction: 'write', blockSize: '1m', depth: 8 } as const;

describe('the rows', () => {
  test('write only when asked to', () => {
    assert.deepEqual(rowsFor(false).map(rowName), ['QD 1 4k read', 'QD 4 4k read', 'QD 32 4k read']);
    assert.deepEqual(rowsFor(true), BENCH_ROWS);
  });
});

describe('the command line of fio', () => {
  test('of a reading row lets fio write nothing', () => {
    const words = fioWords(optionsOf(READ, '/dev/ublkb3', 0.5));
    for (const word of ['--readonly', '--rw=randread', '--filename=/dev/ublkb3', '--iodepth=32', '--runtime=500ms']) {
      assert.ok(words.includes(word), word);
    }
  });

  test('of a writing row', () => {
    assert.deepEqual(fioWords(optionsOf(WRITE, '/dev/ublkb0', 5)), [
      '--name=bench',
      '--filename=/dev/ublkb0',
      '--ioengine=io_uring',
      '--direct=1',
      '--rw=randwrite',
      '--norandommap',
      '--bs=1m',
      '--iodepth=8',
      '--time_based',
      '--runtime=5000ms',
      '--thread',
      '--output-format=json',
    ]);
  });
});

describe('the report of fio', () => {
  const clat = { N: 100, mean: 12_345.6, percentile: { '50.000000': 11_000, '99.000000': 99_500 } };
  const nothing = { total_ios: 0, io_bytes: 0, iops: 0, bw_bytes: 0, clat_ns: { N: 0, mean: 0 } };
  const read = { total_ios: 100, io_bytes: 409_600, iops: 50.5, bw_bytes: 206_848, clat_ns: clat };
  const text = JSON.stringify({ jobs: [{ error: 0, read, write: nothing, trim: nothing }] });

  test('is figures of the direction that the row has', () => {
    const job = parseFioReport(`fio: a remark\n${text}\n`);
    assert.ok(job);
    assert.deepEqual(figuresOf(job, READ), {
      iops: 50.5,
      bytesPerSecond: 206_848,
      latency: { mean: 12.346, p50: 11, p99: 99.5 },
    });
    assert.deepEqual(figuresOf(job, WRITE), {
      iops: 0,
      bytesPerSecond: 0,
      latency: { mean: null, p50: null, p99: null },
    });
  });

  test('may be missing', () => {
    assert.equal(parseFioReport('fio: engine io_uring not loadable\n'), null);
    assert.equal(parseFioReport('{"jobs":[]}'), null);
  });
});

describe('how the data travelled', () => {
  const none = { matched: null, registered: null, copied: null };

  test('is what the counters grew by, over all queues', () => {
    const before = stats([100, 5, 0], [0, 0, 50]);
    const after = stats([103, 5, 0], [0, 0, 51]);
    assert.deepEqual(sharesBetween(before, after), { matched: 0.75, registered: 0, copied: 0.25 });
  });

  test('is unknown of a foreign server, of a new one, and of no requests', () => {
    const page = stats([100, 5, 0]);
    assert.deepEqual(sharesBetween(null, page), none);
    assert.deepEqual(sharesBetween(page, page), none);
    assert.deepEqual(sharesBetween(page, { ...stats([500, 5, 0]), serverPid: 2 }), none);
  });
});

describe('fio', () => {
  const path = process.env['PATH'];
  const directory = mkdtempSync(join(tmpdir(), 'ublkts-bench-'));
  before(() => {
    mkdirSync(join(directory, 'bin'));
    process.env['PATH'] = join(directory, 'bin');
  });
  after(() => {
    process.env['PATH'] = path;
    rmSync(directory, { recursive: true });
  });

  test('is missing', async () => {
    await assert.rejects(runFio([]), { message: 'fio is not installed', kind: 'unsupported', hint: /apt-get/ });
  });

  test('says what it says, and how it ended', async () => {
    standIn('echo "$1"; echo no >&2; exit 3');
    assert.deepEqual(await runFio(['--yes']), { exitCode: 3, stdout: '--yes\n', stderr: 'no\n' });
  });

  test('is killed when the command is interrupted, which is then the error', async () => {
    standIn('exec sleep 60');
    const controller = new AbortController();
    const running = runFio([], { signal: controller.signal });
    controller.abort(new Error('interrupted'));
    await assert.rejects(running, { message: 'interrupted' });
  });

  test('is killed when it does not come to an end', async () => {
    standIn('exec sleep 60');
    await assert.rejects(runFio([], { timeoutMs: 100 }), { code: 'TIMEOUT' });
  });

  function standIn(script: string): void {
    const file = join(directory, 'bin', 'fio');
    writeFileSync(file, `#!/bin/bash\nPATH=${path ?? ''}\n${script}\n`);
    chmodSync(file, 0o755);
  }
});

test('a file where the device should be is not measured', async () => {
  await assert.rejects(requireBlockDevice('/etc/passwd'), { message: '/etc/passwd is not a block device' });
});

/** Requests by way, of each queue. */
function stats(...queues: [matched: number, registered: number, copied: number][]): DeviceStats {
  const ways = queues.map(([matched, registered, copied]) => ({
    ways: { matched: tally(matched), registered: tally(registered), copied: tally(copied), none: tally(7) },
  }));
  return { serverPid: 1, queues: ways } as unknown as DeviceStats;
}

function tally(requests: number): { requests: number; bytes: number } {
  return { requests, bytes: requests * 4096 };
}
