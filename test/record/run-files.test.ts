/** Changes that a file system refuses because it is full or read-only. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { UblkError } from '../../src/errors.ts';
import { changing, makeDirectory, refusedChange, removeFile, writeWhole } from '../../src/record/run-files.ts';

/** As Node 26 makes them. */
function errorOf(message: string, facts: Partial<NodeJS.ErrnoException>): Error {
  return Object.assign(new Error(message), facts);
}

describe('a change that is refused', () => {
  test('on a full file system names the file, which the error of Node does not', () => {
    assert.throws(() => changing('/run/ublkts/5.json', () => writeFileSync('/dev/full', 'text')), {
      name: 'UblkError',
      message: '/run/ublkts/5.json cannot be written: No space left on device',
      code: 'ENOSPC',
      kind: 'failed',
      command: 'write',
      hint: 'make room there: `df /run/ublkts` and `df -i /run/ublkts` show what is used',
    });
  });

  const cases = [
    ['mkdir', 'EROFS', 'made: Read-only file system', /findmnt -T \/run\/ublkts/],
    ['rm', 'EROFS', 'removed: Read-only file system', /findmnt -T \/run\/ublkts/],
    ['open', 'EROFS', 'written: Read-only file system', /findmnt -T \/run\/ublkts/],
    ['write', 'EFBIG', 'written: File too large', /ulimit -f/],
    ['write', 'EDQUOT', 'written: Disk quota exceeded', /df \/run\/ublkts/],
  ] as const;
  for (const [syscall, code, words, hint] of cases) {
    test(`${syscall} with ${code} is described`, () => {
      const refused = refusedChange('/run/ublkts/5.x', errorOf(`${code}: said so`, { code, syscall }));
      assert.equal(refused?.message, `/run/ublkts/5.x cannot be ${words}`);
      assert.match(refused.hint ?? '', hint);
    });
  }

  test('by a call of our own keeps the name of the call', () => {
    const refused = refusedChange('/run/x', new UblkError('fallocate', { code: 'ENOSPC', command: 'fallocate' }));
    assert.equal(refused?.command, 'fallocate');
  });

  test('for any other reason stays as it is', () => {
    const error = errorOf('EACCES: permission denied', { code: 'EACCES', syscall: 'open' });
    assert.equal(refusedChange('/run/x', error), undefined);
    assert.throws(
      () =>
        changing('/run/x', () => {
          throw error;
        }),
      error,
    );
  });
});

test('a file that cannot be put into its place leaves nothing in the other place', () => {
  const folder = mkdtempSync(join(tmpdir(), 'run-files-'));
  try {
    assert.throws(() => writeWhole(join(folder, 'none', 'file'), join(folder, 'file.1'), 'text', 0o600), {
      code: 'ENOENT',
    });
    assert.deepEqual(readdirSync(folder), []);
    writeWhole(join(folder, 'file'), join(folder, 'file.1'), 'text', 0o600);
    assert.deepEqual(readdirSync(folder), ['file']);
    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, 'folder', 'file'), 'text');
    for (const name of ['file', 'folder', 'absent']) removeFile(join(folder, name));
    assert.deepEqual(readdirSync(folder), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('what other users read has its mode whatever the umask is', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'umask-'));
  const umask = process.umask(0o077);
  t.after(() => {
    process.umask(umask);
    rmSync(directory, { recursive: true });
  });
  const [open, closed, pid] = ['open', 'closed', 'open/5.pid'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  makeDirectory(open, 0o755);
  makeDirectory(closed, 0o700);
  writeWhole(pid, join(open, 'pid'), '1', 0o644);
  assert.deepEqual(
    [open, closed, pid].map((path) => (statSync(path).mode & 0o777).toString(8)),
    ['755', '700', '644'],
  );
});
