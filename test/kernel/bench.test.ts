/** `ublkts bench` on real devices: what it prints, what it refuses, and how it is interrupted. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { BenchReport } from '../../src/device/bench.ts';
import { deviceIds } from '../../tools/guest/leftovers.ts';
import { run, ublkts } from '../../tools/guest/ublkts.ts';
import { leavesNothingBehind, run as shell, sh, skip } from './guest.ts';
import { killServer, until, withServed } from './support/devices.ts';
import { onlyLong } from './support/long.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

describe('bench', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();

  test('reads by default, and its requests were copied', () =>
    withServed({ target: 'null' }, async ({ id, path }) => {
      const report = JSON.parse(await ublkts(`bench -n ${id} --seconds 0.5 --json`)) as BenchReport;
      assert.deepEqual(
        { device: report.device, path: report.path, type: report.target?.type },
        { device: id, path, type: 'null' },
      );
      assert.deepEqual(
        report.rows.map(({ row }) => row),
        ['QD 1 4k read', 'QD 4 4k read', 'QD 32 4k read'],
      );
      for (const { row, iops, bytes_per_second, latency_us, ...shares } of report.rows) {
        assert.ok(
          iops > 0 && Math.abs(bytes_per_second / iops / 4096 - 1) < 0.01,
          `${row}: ${iops} ${bytes_per_second}`,
        );
        const { mean, p50, p99 } = latency_us;
        assert.ok(mean !== null && p50 !== null && p99 !== null && mean > 0 && p50 <= p99, JSON.stringify(latency_us));
        assert.deepEqual(shares, { matched: 0, registered: 0, copied: 1 });
      }
      const text = await ublkts(`bench ${path} --seconds 0.2`);
      assert.match(text, /^\/dev\/ublkb0: null, copy, 0.2 s per row.*\nROW .*\nQD 1 4k read .* 100%\n/);
      assert.equal(text.trimEnd().split('\n').length, 5);
    }));

  test('with --write all rows, with registered buffers too', { skip: onlyLong }, () =>
    withServed({ target: 'loop', files: [disk()], features: ['AUTO_BUF_REG'] }, async ({ id }) => {
      const { rows }: BenchReport = JSON.parse(await ublkts(`bench -n ${id} --write --seconds 0.3 --json`));
      assert.equal(rows.length, 7);
      assert.ok(
        rows.every(({ iops, registered }) => iops > 0 && registered === 1),
        JSON.stringify(rows),
      );
    }),
  );

  test('--write is refused on a mounted device, which can still be read', { skip: onlyLong }, () =>
    withServed({ target: 'loop', files: [disk()] }, async ({ id, path }) => {
      sh(`mkfs.ext4 -q ${path} && mkdir -p /mnt/bench && mount ${path} /mnt/bench`);
      try {
        const { code, stderr } = await run(`bench -n ${id} --write --seconds 0.2`);
        assert.deepEqual({ code, busy: /mounted or otherwise in use/.test(stderr) }, { code: 6, busy: true }, stderr);
        await ublkts(`bench -n ${id} --seconds 0.2`);
      } finally {
        sh('umount /mnt/bench');
      }
      sh(`fsck.ext4 -nf ${path}`);
    }),
  );

  test('--write is refused on a read-only device', { skip: onlyLong }, () =>
    withServed({ target: 'null' }, async ({ id, path }) => {
      sh(`blockdev --setro ${path}`);
      const { code, stderr } = await run(`bench -n ${id} --write`);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /is read-only/);
    }),
  );

  test('nobody can mount the device while it is written', { skip: onlyLong }, () =>
    withServed({ target: 'null' }, async ({ id, path }) => {
      const running = ublkts(`bench -n ${id} --write --seconds 1`);
      await until('fio is at work', () => shell('pgrep -x fio').status === 0);
      assert.match(shell(`mount ${path} /mnt`).stderr, /Can't open blockdev|already mounted|busy/i);
      await running;
    }),
  );

  test('Ctrl-C ends fio with it', { skip: onlyLong }, () =>
    withServed({ target: 'null' }, async ({ id }) => {
      const bench = spawn(process.execPath, [PROGRAM, 'bench', '-n', String(id), '--seconds', '60'], {
        stdio: 'ignore',
      });
      await until('fio is at work', () => shell('pgrep -x fio').status === 0);
      bench.kill('SIGINT');
      assert.deepEqual(await once(bench, 'exit'), [130, null]);
      assert.notEqual(shell('pgrep -x fio').status, 0, 'fio is gone');
    }),
  );

  test('a device without a server is not measured, nor one that is not there', async () => {
    await withServed({ target: 'null', features: ['USER_RECOVERY'] }, async ({ id }) => {
      await killServer(id);
      const { code, stderr } = await run(`bench -n ${id}`);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /is QUIESCED: nobody serves it/);
    });
    assert.equal((await run('bench -n 9')).code, 5);
  });

  test('without fio', { skip: onlyLong }, () =>
    withServed({ target: 'null' }, async ({ id }) => {
      const { code, stderr } = await run(`bench -n ${id}`, { env: { PATH: '/nowhere' } });
      assert.deepEqual({ code, said: /fio is not installed/.test(stderr) }, { code: 3, said: true }, stderr);
      assert.deepEqual(deviceIds(), [id]);
    }),
  );
});

function disk(): string {
  const file = '/dev/shm/bench.img';
  writeFileSync(file, '');
  sh(`truncate -s 64M ${file}`);
  return file;
}
