/** Whether a server lock is held, for a process that may not open the lock file. */
import assert from 'node:assert/strict';
import fs, { closeSync, mkdtempSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { isServerLockHeld, takeServerLock } from '../../src/record/server-lock.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'ublkts-lock-'));
after(() => rmSync(folder, { recursive: true }));

test('is learned from /proc/locks, and a file that was removed meanwhile is not held', async (t) => {
  const lock = path.join(folder, '7.lock');
  const fd = await takeServerLock(lock);
  assert.ok(fd !== null);
  t.mock.method(fs, 'openSync', (name: string) => {
    throw Object.assign(new Error(`EACCES: ${name}`), { code: 'EACCES' });
  });
  syncBuiltinESMExports();
  try {
    assert.equal(isServerLockHeld(lock), true);
    rmSync(lock);
    assert.equal(isServerLockHeld(lock), false);
  } finally {
    t.mock.restoreAll();
    syncBuiltinESMExports();
    closeSync(fd);
  }
});
