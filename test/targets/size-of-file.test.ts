/** The size of a file or a block device, as a target asks for it. */
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { sizeOfFile } from 'ublkts/target';

const folder = mkdtempSync(join(tmpdir(), 'ublkts-size-'));
after(() => rmSync(folder, { recursive: true }));

test('the size of a file, by its path and by its descriptor', () => {
  const file = join(folder, 'disk.img');
  writeFileSync(file, '');
  truncateSync(file, 2 ** 42 + 512);
  const fd = openSync(file, 'r');
  assert.deepEqual([sizeOfFile(file), sizeOfFile(fd)], [2 ** 42 + 512, 2 ** 42 + 512]);
  closeSync(fd);
});

test('what has no size is refused by its name', () => {
  assert.throws(() => sizeOfFile(folder), new Error(`${folder} is neither a regular file nor a block device`));
  assert.throws(() => sizeOfFile('/dev/null'), /^Error: \/dev\/null is neither/);
  assert.throws(() => sizeOfFile(join(folder, 'missing')), { code: 'ENOENT' });
});
