import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileSizeLimit, requireWritableSize } from '../../src/targets/file-size-limit.ts';

/** As in /proc/PID/limits. */
function limits(soft: string): string {
  return `Max cpu time     unlimited  unlimited  seconds\nMax file size    ${soft}  unlimited  bytes\n`;
}

test('a file that the server may not write to its end is refused', () => {
  assert.equal(fileSizeLimit(limits('16777216')), 2 ** 24);
  assert.equal(fileSizeLimit(limits('unlimited')), Infinity);
  requireWritableSize('/img', 2 ** 24, 2 ** 24);
  assert.throws(() => requireWritableSize('/img', 2 ** 26, 2 ** 24), {
    code: 'EFBIG',
    message: '/img is to have 64M, and the server may write no more than the first 16M of a file (RLIMIT_FSIZE)',
  });
});
