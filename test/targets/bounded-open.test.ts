/** Files that are opened on threads of libuv's pool, as a resident server does. */
import assert from 'node:assert/strict';
import { closeSync, constants, fstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { boundedOpen, boundedStat } from '../../src/targets/bounded-open.ts';

const folder = mkdtempSync(join(tmpdir(), 'ublkts-open-'));
const file = join(folder, 'file');
writeFileSync(file, 'some bytes');
after(() => rmSync(folder, { recursive: true }));

for (const resident of [false, true]) {
  const where = resident ? 'in a resident server' : 'in a server of one device';

  test(`a file can be asked for several times at once ${where}`, async () => {
    const stats = await Promise.all([1, 2, 3].map(() => boundedStat(file, { resident })));
    assert.deepEqual(
      stats.map(({ size }) => size),
      [10n, 10n, 10n],
    );
    const fds = await Promise.all([1, 2, 3].map(() => boundedOpen(file, constants.O_RDONLY, { resident })));
    assert.equal(new Set(fds).size, 3);
    for (const fd of fds) {
      assert.equal(fstatSync(fd).size, 10);
      closeSync(fd);
    }
  });

  test(`errors are those of the system calls ${where}`, async () => {
    const missing = join(folder, 'missing');
    await assert.rejects(boundedStat(missing, { resident }), { code: 'ENOENT' });
    await assert.rejects(boundedOpen(missing, constants.O_RDONLY, { resident }), { code: 'ENOENT' });
    await assert.rejects(boundedOpen(folder, constants.O_WRONLY, { resident }), { code: 'EISDIR' });
  });
}
