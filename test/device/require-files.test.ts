/** The backing files of a device are looked at before anything is made. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireFiles } from '../../src/device/require-files.ts';

test('a path that is not absolute would be another file in the directory of the server, and is refused', async () => {
  await assert.rejects(requireFiles(['package.json'], {}), {
    kind: 'usage',
    message: /package\.json: its path is not/,
  });
});
