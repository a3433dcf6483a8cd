/** What `nbd-info` shows of the exports of a server. */
import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import { nbdInfoViews } from '../../src/cli/output/nbd-info.ts';
import { nbdInfo } from '../../src/device/nbd-info.ts';
import { hostileServer, TCP } from '../targets/nbd/servers.ts';

test('an export that cannot be used is shown among the others, with the reason', () => {
  const usable = { name: 'a', description: null, uri: 'nbd://h/a', size_bytes: 512, block_sizes: null };
  const refused = { name: 'b', description: 'big', uri: 'nbd://h/b', error: 'the export is too \x1blarge' };
  const views = nbdInfoViews([{ ...usable, flags: '0x0', flag_names: [], unusable: null }, refused]);
  const text = stripVTControlCharacters(views.kublk());
  assert.match(text, /export a: nbd:\/\/h\/a\n {2}size +512 bytes.*\n {2}blocks .*\n {2}flags +none\n\S/);
  assert.match(text, /export b: nbd:\/\/h\/b\n {2}error +the export is too \\x1blarge\n {2}description +big\n$/);
  assert.doesNotMatch(text, /export b.*size/s);
});

test('an export that no device can be made of has what its server says of it, and the reason', async () => {
  const server = await hostileServer(TCP, 511);
  try {
    const exports = await nbdInfo(`nbd://127.0.0.1:${server.port}/small`);
    const reason = 'the export cannot be a device: it has 511 bytes, less than a block of 512';
    assert.deepEqual(
      exports.map((found) => ('error' in found ? found : [found.size_bytes, found.unusable])),
      [[511, reason]],
    );
    const text = stripVTControlCharacters(nbdInfoViews(exports).kublk());
    assert.match(text, new RegExp(` {2}size +511 bytes[^]*\\n {2}unusable +${reason}\\n$`));
  } finally {
    await server.close();
  }
});
