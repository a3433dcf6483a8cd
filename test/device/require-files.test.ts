/** The backing files of a device are looked at before anything is made. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireFiles } from '../../src/device/require-files.ts';
import type { UblkError } from '../../src/errors.ts';

test('a path that is not absolute would be another file in the directory of the server, and is refused', async () => {
  await assert.rejects(requireFiles(['package.json'], {}, null), {
    kind: 'usage',
    message: /package\.json: its path is not/,
  });
});

test('a new file is suggested for a new device only: in place of a lost one it would answer clients with zeroes', async () => {
  assert.equal(await hint(null), 'make it first, for instance with `truncate -s 1G /nowhere/disk.img`');
  assert.match(await hint(5), /^put back the file that the device had, or name it .*`ublkts recover -n 5 FILE\.\.\.`$/);
});

test('no file is suggested in the place of a disk that is not there', async () => {
  assert.equal(await hint(null, '/dev/nowhere1'), '`lsblk` shows the disks that there are, and their sizes');
  assert.match(await hint(null, '/dev/shm/nowhere.img'), /^make it first/);
});

test('what is wrong with a path is said in words', async () => {
  await assert.rejects(requireFiles(['/dev/null/disk.img'], {}, null), {
    code: 'ENOTDIR',
    message: 'cannot use backing file /dev/null/disk.img: Not a directory',
  });
});

async function hint(recovered: number | null, path = '/nowhere/disk.img'): Promise<string> {
  try {
    await requireFiles([path], {}, recovered);
  } catch (error) {
    return (error as UblkError).hint ?? '';
  }
  return '';
}
