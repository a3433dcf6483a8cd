/** Whether a device still has its server, where the process lives longer than it has the device. */
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { isServerAlive, serverState, thisProcess } from '../../src/record/server-identity.ts';
import { takeServerLock } from '../../src/record/server-lock.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'ublkts-identity-'));
after(() => rmSync(folder, { recursive: true }));

test('a resident server has a device for as long as it has the lock of the device', async () => {
  const lock = path.join(folder, '7.lock');
  const resident = thisProcess(lock, 'main');
  assert.equal(serverState(resident), 'gone', 'before');
  const fd = await takeServerLock(lock);
  assert.ok(fd !== null);
  assert.equal(serverState(resident), 'running');
  assert.equal(await takeServerLock(lock, 0), null, 'there is one lock');
  closeSync(fd);
  assert.equal(serverState(resident), 'gone');
  rmSync(lock);
  assert.ok(!isServerAlive(resident));
  assert.ok(isServerAlive(thisProcess(lock)), 'the process of one device is its server until it ends');
});
