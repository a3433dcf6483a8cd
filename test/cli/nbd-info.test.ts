/** What `nbd-info` shows of the exports of a server. */
import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import { nbdInfoViews } from '../../src/cli/output/nbd-info.ts';

test('an export that cannot be used is shown among the others, with the reason', () => {
  const usable = { name: 'a', description: null, uri: 'nbd://h/a', size_bytes: 512, block_sizes: null };
  const refused = { name: 'b', description: 'big', uri: 'nbd://h/b', error: 'the export is too \x1blarge' };
  const views = nbdInfoViews([{ ...usable, flags: '0x0', flag_names: [] }, refused]);
  const text = stripVTControlCharacters(views.kublk());
  assert.match(text, /export a: nbd:\/\/h\/a\n {2}size +512 bytes/);
  assert.match(text, /export b: nbd:\/\/h\/b\n {2}error +the export is too \\x1blarge\n {2}description +big\n$/);
  assert.doesNotMatch(text, /export b.*size/s);
});
