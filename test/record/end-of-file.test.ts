/** The end of a log. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { endOfFile } from '../../src/record/end-of-file.ts';

describe('the end of a log', () => {
  const folder = mkdtempSync(join(tmpdir(), 'end-of-file-'));
  after(() => rmSync(folder, { recursive: true }));
  const log = join(folder, 'log');
  writeFileSync(log, 'one two three');

  for (const [skipped, most, end] of [
    [0, 100, 'one two three'],
    [0, 5, 'three'],
    [4, 100, 'two three'],
    [8, 3, 'ree'],
    [13, 100, ''],
    // It has been shortened since it had so many.
    [50, 100, 'one two three'],
    [50, 5, 'three'],
  ] as const) {
    test(`behind ${skipped} bytes, ${most} at most`, () => assert.equal(endOfFile(log, skipped, most), end));
  }

  test('that is not there is an error', () =>
    assert.throws(() => endOfFile(join(folder, 'none'), 0, 1), { code: 'ENOENT' }));
});
