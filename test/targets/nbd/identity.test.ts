/** Which spellings of a URI lead to the same export, and which do not. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { mayBeSame, namesOfExport } from '../../../src/targets/nbd/identity.ts';
import { parseNbdUri } from '../../../src/targets/nbd/uri.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'nbd-identity-'));

describe('the names of an export', () => {
  after(() => rmSync(FOLDER, { recursive: true }));
  writeFileSync(join(FOLDER, 'socket'), '');
  symlinkSync('socket', join(FOLDER, 'link'));
  symlinkSync(FOLDER, join(FOLDER, 'folder'));

  for (const [a, b] of [
    ['nbd://localhost/', 'NBD://LOCALHOST:10809'],
    ['nbd://localhost/', 'nbd:///'],
    ['nbd://127.0.0.1/x', 'nbds://127.0.0.1/x?tls-verify-peer=no'],
    ['nbd://[::1]/', 'nbd://[0:0::1]/'],
    ['nbd://127.0.0.1/', 'nbd://[::ffff:127.0.0.1]/'],
    ['nbd://[::1]/', 'nbd://[::1%25lo]/'],
    [unix('socket'), unix('link')],
    [unix('socket'), unix('folder/socket')],
    [unix('away'), unix('folder/away')],
  ] as const) {
    test(`${brief(a)} and ${brief(b)} have one in common`, async () => assert.ok(await haveCommonName(a, b)));
  }

  test('localhost has those of its addresses', async () => {
    const [v4, v6] = await Promise.all([
      haveCommonName('nbd://localhost/', 'nbd://127.0.0.1/'),
      haveCommonName('nbd://localhost/', 'nbd://[::1]/'),
    ]);
    assert.ok(v4 || v6);
  });

  for (const [a, b] of [
    ['nbd://127.0.0.1/', 'nbd://127.0.0.2/'],
    ['nbd://127.0.0.1/', 'nbd://127.0.0.1:10810/'],
    ['nbd://127.0.0.1/', 'nbd://127.0.0.1/x'],
    ['nbd://127.0.0.1/', unix('socket')],
    [unix('socket'), unix('away')],
  ] as const) {
    test(`${brief(a)} and ${brief(b)} have none in common`, async () => assert.ok(!(await haveCommonName(a, b))));
  }

  test('a host that is not found has its own name', async () => {
    assert.ok(await haveCommonName('nbd://nowhere.invalid/', 'nbd://NoWhere.invalid/'));
    assert.ok(!(await haveCommonName('nbd://nowhere.invalid/', 'nbd://elsewhere.invalid/')));
  });
});

async function haveCommonName(a: string, b: string): Promise<boolean> {
  const [one, other] = [parseNbdUri(a), parseNbdUri(b)];
  const names = new Set(await namesOfExport(one));
  const isCommon = (await namesOfExport(other)).some((name) => names.has(name));
  assert.ok(mayBeSame(one, other) || !isCommon);
  return isCommon;
}

function unix(name: string): string {
  return `nbd+unix:///?socket=${FOLDER}/${name}`;
}

function brief(uri: string): string {
  return uri.replace(FOLDER, '');
}
