/** The lock of `recover`. Needs root, for the directory in /run. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { exclusively, isTaken } from '../../src/device/recover/device-lock.ts';
import { UblkError } from '../../src/errors.ts';
import { RECOVER_LOCK } from '../../src/record/files.ts';

const ID = 900_000 + process.pid;
const skip = process.getuid?.() === 0 ? false : 'needs root';

describe('one at a time', { skip }, () => {
  test('the second is refused while the first is at it, and let in afterwards', async () => {
    const first = exclusively(ID, 'test', () => sleep(200, 'done'));
    await sleep(10);
    await assert.rejects(
      exclusively(ID, 'test', () => Promise.resolve()),
      {
        code: 'EBUSY',
        kind: 'busy',
        device: ID,
        message: `device ${ID} cannot be changed: another process is using it (test)`,
      },
    );
    assert.equal(await exclusively(ID + 1, 'test', () => Promise.resolve('another device')), 'another device');
    assert.equal(await first, 'done');
    assert.equal(await exclusively(ID, 'test', () => Promise.resolve('again')), 'again');
  });

  test('a failure lets go', async () => {
    await assert.rejects(
      exclusively(ID, 'test', () => Promise.reject(new Error('no'))),
      /no/,
    );
    await exclusively(ID, 'test', () => Promise.resolve());
  });

  test('nobody but root holds it: the file is closed to others, and a socket of its old name is no lock', async () => {
    const squatter = createServer().listen(`\0ublkts-test-${ID}`);
    await once(squatter, 'listening');
    try {
      await exclusively(ID, 'test', () => Promise.resolve());
    } finally {
      squatter.close();
    }
    const { mode, uid, size } = statSync(RECOVER_LOCK);
    assert.deepEqual([mode & 0o777, uid, size], [0o600, 0, 0]);
  });

  test('it ends with its process', async () => {
    const module = new URL('../../src/device/recover/device-lock.ts', import.meta.url);
    const script = `import { exclusively } from '${module.href}';
      await exclusively(${ID}, 'test', () => new Promise(() => { console.log('locked'); setInterval(() => {}, 1000); }));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await assert.rejects(
      exclusively(ID, 'test', () => Promise.resolve()),
      (error) => error instanceof UblkError && isTaken(error),
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(await exclusively(ID, 'test', () => Promise.resolve('free')), 'free');
  });
});
