import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedUse } from '../../src/targets/claims.ts';

test('a file that another device serves is refused with the command that ends that', () => {
  const words = 'device 0 (loop, server pid 7) serves it';
  assert.match(
    refusedUse('/a', { words, id: 0 }).hint ?? '',
    /\(the file stays\): `ublkts del -n 0`, or use another file/,
  );
  const { message, hint = '' } = refusedUse('nbd://a/', { words, id: 0 }, 'export');
  assert.match(
    `${message} ${hint}`,
    /^cannot use export nbd:[^]*\(the export stays\)[^]*another export;[^]*same export$/,
  );
  assert.match(refusedUse('/a', { words: 'another program holds it' }).hint ?? '', /^end that use first, or/);
});
