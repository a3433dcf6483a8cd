/** Locks of open files: of a whole file, and of single bytes that it need not have. */
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { tryLock, tryLockByte } from '../../src/native/libc/file-lock.ts';
import { ERRNO } from '../../src/native/uapi/errno.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'file-lock-'));
const LAST = 2n ** 62n - 1n;

after(() => rmSync(FOLDER, { recursive: true }));

test('a byte is locked for one open file, and the others are not', () => {
  const [a, b] = [open(), open()];
  assert.equal(tryLockByte(a, 'exclusive', LAST), 0);
  assert.equal(tryLockByte(a, 'exclusive', LAST), 0);
  assert.equal(tryLockByte(b, 'exclusive', LAST), ERRNO.EAGAIN);
  assert.equal(tryLockByte(b, 'shared', LAST), ERRNO.EAGAIN);
  assert.equal(tryLockByte(b, 'exclusive', LAST - 1n), 0);
  assert.equal(tryLock(b, 'shared'), ERRNO.EAGAIN);
  closeSync(a);
  assert.equal(tryLockByte(b, 'shared', LAST), 0);
  const c = open();
  assert.equal(tryLockByte(c, 'shared', LAST), 0);
  for (const fd of [b, c]) closeSync(fd);
});

function open(): number {
  return openSync(join(FOLDER, 'file'), 'a+');
}
