/** The configuration file. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { configuredServer, serverOf } from '../../src/cli/configuration.ts';

describe('the configuration file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'configuration-'));
  const file = join(folder, 'ublkts.conf');
  after(() => rmSync(folder, { recursive: true }));
  afterEach(() => delete process.env['UBLKTS_CONFIG']);

  for (const [text, server] of [
    ['', undefined],
    ['# nothing\n\n', undefined],
    ['server = main', 'main'],
    ['  server=a.b # for all\n', 'a.b'],
    ['server = one\nserver = two\n', 'two'],
  ] as const) {
    test(`${JSON.stringify(text)} gives devices to ${server ?? 'processes of their own'}`, () => {
      writeFileSync(file, text);
      process.env['UBLKTS_CONFIG'] = file;
      assert.equal(configuredServer(), server);
    });
  }

  for (const [text, why] of [
    ['server', /line 1 of .*ublkts\.conf cannot be used: server/],
    ['\nserver =', /line 2 of/],
    ['servers = main', /cannot be used: servers = main/],
    ['server = a b', /'a b' cannot be the name of a server/],
  ] as const) {
    test(`${JSON.stringify(text)} is refused`, () => {
      writeFileSync(file, text);
      process.env['UBLKTS_CONFIG'] = file;
      assert.throws(configuredServer, why);
    });
  }

  test('that was named must be there, and an empty name is none', () => {
    process.env['UBLKTS_CONFIG'] = '/dev/zero';
    assert.throws(configuredServer, /cannot read the configuration file \/dev\/zero: EFBIG/);
    process.env['UBLKTS_CONFIG'] = join(folder, 'none');
    assert.throws(configuredServer, /cannot read the configuration file .*none: ENOENT/);
    process.env['UBLKTS_CONFIG'] = '';
    assert.equal(configuredServer(), undefined);
  });
});

describe('the server of a new device', () => {
  const folder = mkdtempSync(join(tmpdir(), 'configuration-'));
  const file = join(folder, 'ublkts.conf');
  writeFileSync(file, 'server = filed');
  after(() => rmSync(folder, { recursive: true }));
  afterEach(() => {
    delete process.env['UBLKTS_CONFIG'];
    delete process.env['UBLKTS_SERVER'];
  });

  for (const [named, server, foreground, gets] of [
    [undefined, undefined, false, 'filed'],
    ['', undefined, false, undefined],
    ['other', undefined, false, 'other'],
    ['other', 'flagged', false, 'flagged'],
    ['other', undefined, true, undefined],
    [undefined, undefined, true, undefined],
    [undefined, 'flagged', true, 'flagged'],
  ] as const) {
    test(`--server=${server}, UBLKTS_SERVER=${named}, foreground ${foreground}: ${gets ?? 'a process of its own'}`, () => {
      process.env['UBLKTS_CONFIG'] = file;
      if (named !== undefined) process.env['UBLKTS_SERVER'] = named;
      assert.equal(serverOf({ server, foreground }), gets);
    });
  }

  test('a name in the environment that no server can have is refused', () => {
    process.env['UBLKTS_SERVER'] = 'a b';
    assert.throws(() => serverOf({ foreground: false }), /'a b' cannot be the name of a server/);
  });
});
