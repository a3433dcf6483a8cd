/** Which of its target's options a device has after it was recovered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { optionsWith } from '../../src/device/recover/target-options.ts';
import { nbdTarget } from '../../src/targets/nbd/index.ts';

test('an option that is named takes the place of the one that was there, and the others stay', () => {
  const had = { offset: '4M', sizelimit: '8M', buffered_io: '0' };
  assert.deepEqual(optionsWith(had, {}, {}), had);
  assert.deepEqual(optionsWith(had, { buffered_io: '1' }, {}), { ...had, buffered_io: '1' });
  assert.deepEqual(optionsWith({}, { offset: '1M' }, {}), { offset: '1M' });
});

test('what a program is and where a server is exclude each other', () => {
  const program = { program: 'nbdkit memory 1G', directory: '/srv', export: 'a', reconnect_delay: '5' };
  const uri = { uri: 'nbd://host/a', reconnect_delay: '5' };
  assert.deepEqual(optionsWith(program, uri, nbdTarget), uri);
  assert.deepEqual(optionsWith(uri, { program: 'nbdkit memory 2G' }, nbdTarget), {
    program: 'nbdkit memory 2G',
    reconnect_delay: '5',
  });
  assert.deepEqual(optionsWith(program, { directory: '/mnt' }, nbdTarget), { ...program, directory: '/mnt' });
  assert.deepEqual(optionsWith(uri, { request_timeout: '7' }, nbdTarget), { ...uri, request_timeout: '7' });
});
