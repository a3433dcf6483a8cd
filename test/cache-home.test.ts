/** Compiled code is run as it is found, so it is kept only where this user alone writes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { cacheHome, compileCache } from '../src/cache-home.ts';

const before = { ...process.env };
const isRoot = process.geteuid?.() === 0;
let home: string;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'ublkts-home-'));
  process.env['XDG_CACHE_HOME'] = path.join(home, 'cache');
});
afterEach(() => {
  for (const name of ['XDG_CACHE_HOME', 'HOME']) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  rmSync(home, { recursive: true });
});

test('each part has a directory in the cache of this user, also before there is one', () => {
  assert.equal(compileCache('add'), path.join(home, 'cache', 'ublkts', 'compile', 'add'));
  assert.equal(statSync(path.join(home, 'cache')).mode & 0o777, 0o700);
  assert.equal(compileCache('server'), path.join(home, 'cache', 'ublkts', 'compile', 'server'));
});

test('where no directory can be made, there is none, and no time is lost', () => {
  process.env['XDG_CACHE_HOME'] = '/proc/cache';
  assert.equal(compileCache('add'), undefined);
});

test("another user's cache or home is not used", { skip: !isRoot && 'only root can give files away' }, () => {
  chownSync(home, 12_345, 12_345);
  assert.equal(compileCache('add'), undefined);
  chownSync(home, 0, 0);
  mkdirSync(path.join(home, 'cache'));
  chownSync(path.join(home, 'cache'), 12_345, 12_345);
  assert.equal(compileCache('add'), undefined);
});

test('a full disk is not used, where Node would leave empty files', { skip: !isRoot && 'only root can mount' }, (t) => {
  const module = JSON.stringify(path.resolve('src/cache-home.ts'));
  const look = `node -e 'import(${module}).then((m) => console.log(m.compileCache("add")))'`;
  const script = `mount -t tmpfs -o size=4k tmpfs ${home} && echo full > ${home}/file && ${look} && rm ${home}/file && ${look}`;
  const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script], { encoding: 'utf8' });
  if (status !== 0) t.skip(`nothing can be mounted here: ${stderr}`);
  else assert.equal(stdout, `undefined\n${path.join(home, 'cache', 'ublkts', 'compile', 'add')}\n`);
});

test('a home or a cache that is not absolute counts for nothing, so that no directory of others is made', () => {
  process.env['XDG_CACHE_HOME'] = 'cache';
  process.env['HOME'] = home;
  assert.equal(cacheHome(), path.join(home, '.cache'));
  process.env['HOME'] = '';
  assert.equal(cacheHome(), undefined);
});
