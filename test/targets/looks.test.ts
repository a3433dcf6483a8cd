/** Looks at files of others, which may hang. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { withinMs } from '../../src/control/waiting.ts';
import { identityOf, lookAt } from '../../src/targets/looks.ts';

const folder = mkdtempSync(join(tmpdir(), 'ublkts-looks-'));
const file = join(folder, 'file');
writeFileSync(file, 'some bytes');
after(() => rmSync(folder, { recursive: true }));

test('a file is looked at by the thread itself or by the pool, and one that is not there is null', async () => {
  const { ino } = statSync(file, { bigint: true });
  for (const inPool of [false, true]) {
    const looks = await Promise.all([lookAt(file, inPool), lookAt(file, inPool)]);
    for (const look of looks) assert.ok(look !== null && look !== 'late' && look.ino === ino);
    assert.equal(await lookAt(join(folder, 'missing'), inPool), null);
  }
});

test('what takes too long is late', async () => {
  assert.equal(await withinMs(Promise.resolve('here'), 1000, 'late'), 'here');
  assert.equal(await withinMs(Promise.withResolvers().promise, 10, 'late'), 'late');
  await assert.rejects(withinMs(Promise.reject(new Error('refused')), 1000, 'late'), /refused/);
});

test('the identity of a file is its numbers', () => {
  const { device, inode, blockDevice } = identityOf(statSync(file, { bigint: true }));
  assert.match(device, /^\d+:\d+$/);
  assert.equal(inode, execFileSync('stat', ['-c', '%i', file], { encoding: 'utf8' }).trim());
  assert.equal(blockDevice, null);
});
