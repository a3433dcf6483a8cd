import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { wants, wantsJson } from '../../src/cli/argv/global-flags.ts';
import { type FlagShapes, normaliseArgv } from '../../src/cli/argv/normalise.ts';

const FLAGS: FlagShapes = {
  number: { type: 'option', char: 'n' },
  queues: { type: 'option', char: 'q' },
  zero_copy: { type: 'boolean', char: 'z' },
  user_copy: { type: 'boolean', char: 'u' },
  get_data: { type: 'boolean', char: 'g' },
  shmem_zc: { type: 'boolean' },
  htlb: { type: 'option', multiple: true },
  recovery_reissue: { type: 'option', char: 'i', helpValue: '0|1' },
  server: { type: 'option', helpValue: '[NAME]' },
  'no-color': { type: 'boolean' },
};

function normalise(line: string): string {
  return normaliseArgv(line === '' ? [] : line.split(' '), FLAGS).join(' ');
}

describe("getopt's habits", () => {
  const lines: [string, string, string][] = [
    ['hyphens stand for underscores', '--shmem-zc --zero-copy', '--shmem_zc --zero_copy'],
    ['and underscores for hyphens', '--no_color', '--no-color'],
    ['the last of a repeated option wins', '-q 1 -n 0 -q 2', '-n 0 -q 2'],
    ['also in its long form', '--queues 1 -q2 --queues=3', '--queues 3'],
    ['an option that may be repeated is', '--htlb a --htlb b', '--htlb a --htlb b'],
    ['letters may stand together', '-zuq4 file', '-z -u -q 4 file'],
    ['a value may be negative', '-n -1', '-n -1'],
    ['a value may look like a flag', '-n --queues', '-n --queues'],
    ['-g takes no argument', '-g file', '-g file'],
    ["--get_data takes kublk's", '--get_data 1 file', '--get_data file'],
    ['--get_data 0 asks for nothing', '--get_data 0 file', 'file'],
    ['--get_data alone is -g', '--get_data file', '--get_data file'],
    ['words stand anywhere', 'a -z b', 'a -z b'],
    ['nothing is read after --', '-z -- --shmem-zc -q', '-z -- --shmem-zc -q'],
    ['an option without its value is left too', '-q', '-q'],
    ['a lone dash is a word', '-', '-'],
    ['a value that may be left out stands behind =', '--server=fast file', '--server fast file'],
    ['and without = the flag has none', '--server package.json', '--server  package.json'],
    ['also before the number of a device', '--server 3', '--server  3'],
  ];
  for (const [what, given, expected] of lines) test(what, () => assert.equal(normalise(given), expected));
});

test('unknown flags are refused, with the one that was meant', () => {
  assert.throws(() => normalise('3 --shmem-zd 4'), { kind: 'usage', hint: 'did you mean --shmem_zc?' });
  assert.throws(() => normalise('-zx'), { message: 'no such flag: -x' });
});

test('a switch that takes 0 or 1 is named as it was typed, with what to write', () => {
  assert.equal(normalise('-i 1 disk.img'), '-i 1 disk.img');
  const refusals: [string, string, string][] = [
    ['-i disk.img', '-i takes 0 or 1, not "disk.img"', 'write `-i 1 disk.img`'],
    ['--recovery-reissue a', '--recovery-reissue takes 0 or 1, not "a"', 'write `--recovery-reissue 1 a`'],
    ['-i', '-i takes 0 or 1', 'write `-i 1`'],
    ['-i 2', '-i takes 0 or 1, not "2"', 'write `-i 1`'],
    ['-i -n 0', '-i takes 0 or 1, not "-n"', 'write `-i 1`'],
  ];
  for (const [line, message, hint] of refusals) {
    assert.throws(() => normalise(line), { kind: 'usage', message, hint });
  }
});

test('the backing file is a word and no flag', () => {
  const make: FlagShapes = { ...FLAGS, type: { type: 'option', char: 't' } };
  const hint = 'name the file as a word: `ublkts add -t loop FILE`';
  assert.throws(() => normaliseArgv(['--file', 'disk.img'], make), { message: 'no such flag: --file', hint });
  assert.throws(() => normalise('--file disk.img'), { hint: '--help lists the flags' });
});

test('a flag without a value does not take one', () => {
  assert.throws(() => normalise('--shmem_zc=1'), { message: '--shmem_zc takes no value' });
});

test('a flag is recognised before parsing, in both spellings, up to --', () => {
  assert.ok(wants('no-color', ['list', '--no_color']));
  assert.ok(!wants('json', ['add', '--', '--json']));
});

test('JSON is asked for by --json and by --format json', () => {
  for (const line of ['list --json', 'list --format json', 'list --format=json']) assert.ok(wantsJson(line.split(' ')));
  for (const line of ['list', 'list --format table', 'list json']) assert.ok(!wantsJson(line.split(' ')));
});

test('a name behind a flag whose value follows an equals sign is not taken for a file', () => {
  assert.throws(() => normalise('--server fast package.json'), {
    message: '--server fast: a name follows an equals sign, and there is no file fast',
    hint: 'write --server=fast',
  });
});
