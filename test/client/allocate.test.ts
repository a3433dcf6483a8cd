/** Memory that cannot be allocated is a failure of the library's own kind, before a server is asked. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { allocateRegion } from '../../src/client/allocate.ts';

const TOO_MANY = Number.MAX_SAFE_INTEGER;

test('a file that cannot be made, and a size that no memory has, are UblkErrors, and nothing is left', async () => {
  const nowhere = '/nowhere/region';
  await assert.rejects(allocateRegion(0, { bytes: 4096, from: { path: nowhere } }), {
    name: 'UblkError',
    message: `open ${nowhere}: No such file or directory`,
    code: 'ENOENT',
  });
  const path = join(tmpdir(), `region-${process.pid}`);
  for (const from of ['memfd', { path }] as const) {
    await assert.rejects(allocateRegion(0, { bytes: TOO_MANY, from }), { name: 'UblkError' });
  }
  assert.ok(!existsSync(path));
  for (const [bytes, message] of [
    [0, /it is empty/],
    [4097, /its size, 4097 bytes, is not a whole number of pages/],
    [2 ** 33, /over the kernel's 4 GiB a buffer/],
  ] as const)
    await assert.rejects(allocateRegion(0, { bytes }), { name: 'UblkError', message });
});
