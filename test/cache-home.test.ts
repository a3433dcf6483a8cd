/** Compiled code is run as it is found, so it is kept only where this user alone writes. */
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { compileCache } from '../src/cache-home.ts';

const before = process.env['XDG_CACHE_HOME'];
const isRoot = process.geteuid?.() === 0;
let home: string;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'ublkts-home-'));
  process.env['XDG_CACHE_HOME'] = path.join(home, 'cache');
});
afterEach(() => {
  if (before === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = before;
  rmSync(home, { recursive: true });
});

test('each part has a directory in the cache of this user, also before there is one', () => {
  assert.equal(compileCache('add'), path.join(home, 'cache', 'ublkts', 'compile', 'add'));
  mkdirSync(path.join(home, 'cache'));
  assert.equal(compileCache('server'), path.join(home, 'cache', 'ublkts', 'compile', 'server'));
});

test("another user's cache or home is not used", { skip: !isRoot && 'only root can give files away' }, () => {
  chownSync(home, 12_345, 12_345);
  assert.equal(compileCache('add'), undefined);
  chownSync(home, 0, 0);
  mkdirSync(path.join(home, 'cache'));
  chownSync(path.join(home, 'cache'), 12_345, 12_345);
  assert.equal(compileCache('add'), undefined);
});
