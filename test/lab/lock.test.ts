/** The lock of the lab's images, which whoever builds them holds. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { withLock } from '../../src/lab/lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'ublkts-lock-'));
after(() => rmSync(folder, { recursive: true }));

test('one has it at a time, and a wait for it that is given up ends with the reason', async () => {
  const file = join(folder, 'lock');
  const given = new AbortController();
  const reason = new Error('interrupted');
  await withLock(file, {}, async () => {
    const onProgress = (): void => given.abort(reason);
    await assert.rejects(
      withLock(file, { signal: given.signal, onProgress }, () => assert.fail('two have it')),
      reason,
    );
  });
  assert.equal(await withLock(file, {}, async () => 'mine'), 'mine');
});
