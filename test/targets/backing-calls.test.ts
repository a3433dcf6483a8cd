/** The calls on backing files, made by the thread itself, by threads of libuv's pool, or by a process of their own. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, mock, test } from 'node:test';
import { FALLOC_FL_KEEP_SIZE } from '../../src/native/uapi/fs.ts';
import { BackingCalls } from '../../src/targets/backing-calls.ts';
import { hungAt } from '../../src/targets/hung-calls.ts';

const folder = mkdtempSync(join(tmpdir(), 'ublkts-calls-'));
const file = join(folder, 'file');
writeFileSync(file, 'some bytes');
after(() => rmSync(folder, { recursive: true }));

for (const caller of ['thread', 'pool', 'process'] as const) {
  describe(`calls made by a ${caller}`, () => {
    const calls = new BackingCalls(file, { caller });

    test('a file can be asked for several times at once', async () => {
      const stats = await Promise.all([1, 2, 3].map(() => calls.stat()));
      assert.deepEqual(
        stats.map(({ size }) => size),
        [10n, 10n, 10n],
      );
      const fds = await Promise.all([1, 2, 3].map(() => calls.open(constants.O_RDONLY)));
      assert.equal(new Set(fds).size, 3);
      for (const fd of fds) {
        assert.equal((await calls.fstat(fd)).size, 10n);
        await calls.close(fd);
      }
      assert.equal(descriptorsOf(file), 0);
    });

    test('errors are those of the system calls', async () => {
      const missing = calls.of(join(folder, 'missing'));
      await assert.rejects(missing.stat(), { code: 'ENOENT' });
      // Only the process that makes the call has this name for it.
      const grown = caller === 'process' ? /^fallocate of \S+: No such file/ : /^ENOENT: /;
      await assert.rejects(missing.grow(1), { code: 'ENOENT', message: grown });
      await assert.rejects(missing.open(constants.O_RDONLY), { code: 'ENOENT' });
      await assert.rejects(calls.of(folder).open(constants.O_WRONLY), { code: 'EISDIR' });
      assert.equal((await calls.int('fallocate', -1, FALLOC_FL_KEEP_SIZE, 0n, 1n)).value, -1);
    });

    test('reads, writes, locks and allocates', async () => {
      const own = calls.of(join(folder, `own-${caller}`));
      const fd = await own.open(constants.O_RDWR | constants.O_CREAT, 0o600);
      assert.equal(await own.write(fd, Buffer.from('more bytes'), 2), 10);
      const buffer = new Uint8Array(16);
      assert.equal(await own.read(fd, buffer, 0), 12);
      assert.equal(Buffer.from(buffer).toString('latin1', 2, 12), 'more bytes');
      assert.equal(await own.lock(fd, 'exclusive'), 0);
      assert.deepEqual((await own.int('fallocate', fd, 0, 0n, 4096n)).value, 0);
      assert.equal((await own.fstat(fd)).size, 4096n);
      assert.equal((await own.statfs(fd)).bsize > 0, true);
      await own.grow(8192);
      assert.equal((await own.stat()).size, 8192n);
      await own.close(fd);
    });
  });
}

describe('a file that does not answer', () => {
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);

  test('is given up in time, is refused meanwhile, and is closed when it answers', async (t) => {
    const calls = new BackingCalls(fifo, { caller: 'pool', timeoutMs: 50 });
    // Opening a pipe waits for its other end.
    await assert.rejects(calls.open(constants.O_RDONLY), {
      code: 'TIMEOUT',
      message: `cannot use backing file ${fifo}: open has not answered for 0.05 s`,
    });
    const asked = performance.now();
    await assert.rejects(new BackingCalls(fifo, { caller: 'pool' }).stat(), { code: 'TIMEOUT' });
    assert.ok(performance.now() - asked < 1000, 'it is refused at once');
    const released = mock.fn();
    calls.afterwards(released);
    assert.equal(released.mock.callCount(), 0);
    const other = openSync(fifo, constants.O_WRONLY);
    await t.waitFor(() => assert.ok(hungAt(fifo) === undefined && descriptorsOf(fifo) <= 1), { timeout: 10_000 });
    assert.equal(released.mock.callCount(), 1);
    closeSync(other);
    assert.equal((await new BackingCalls(fifo, { caller: 'pool' }).stat()).isFIFO(), true);
  });

  test('is not asked again while it hangs, whoever asks, and neither is what is in the same place', async (t) => {
    const calls = new BackingCalls(fifo, { caller: 'pool', timeoutMs: 50, place: folder });
    await assert.rejects(calls.open(constants.O_RDONLY), { code: 'TIMEOUT' });
    await assert.rejects(new BackingCalls(file, { caller: 'pool', place: folder }).stat(), {
      message: `cannot use backing file ${file}: open of ${fifo} has not answered for 0.05 s`,
    });
    assert.equal((await new BackingCalls(file, { caller: 'pool' }).stat()).size, 10n);
    const fd = openSync(file, constants.O_RDONLY);
    await new BackingCalls(file, { caller: 'pool', place: folder }).close(fd);
    const other = openSync(fifo, constants.O_WRONLY);
    const isOver = () => hungAt(folder) === undefined && descriptorsOf(file) === 0 && descriptorsOf(fifo) <= 1;
    await t.waitFor(() => assert.ok(isOver()), { timeout: 10_000 });
    closeSync(other);
    assert.equal((await new BackingCalls(file, { caller: 'pool', place: folder }).stat()).size, 10n);
  });

  test('keeps its descriptor until the call that was given up has returned', async (t) => {
    const calls = new BackingCalls(fifo, { caller: 'pool', timeoutMs: 50 });
    const fd = openSync(fifo, constants.O_RDWR);
    const buffer = new Uint8Array(1);
    await assert.rejects(calls.read(fd, buffer, null), { code: 'TIMEOUT' });
    // Whoever has asked, the descriptor is that of the call.
    await new BackingCalls(fifo, { caller: 'pool' }).close(fd);
    assert.equal(descriptorsOf(fifo), 1);
    const other = openSync(fifo, constants.O_WRONLY);
    writeFileSync(other, 'x');
    closeSync(other);
    await t.waitFor(() => assert.equal(descriptorsOf(fifo), 0), { timeout: 10_000 });
    assert.equal(buffer[0], 'x'.charCodeAt(0));
  });
});

function descriptorsOf(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false;
    }
  }).length;
}
