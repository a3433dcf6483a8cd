import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkServerOptions, parseServerOptions, SERVER_DEFAULTS, serverName } from '../../src/spec/server-options.ts';

test('a resident server that is given no name is the default one', () => assert.equal(serverName(''), 'main'));

test('a name can be part of the name of a file', () => {
  for (const name of ['main', 'a', 'fast-2.x_y', '0']) assert.equal(serverName(name), name);
  for (const name of ['.', '../x', 'a/b', 'a b', '-x', 'x'.repeat(33), 'ü', 'a\n']) {
    assert.throws(() => serverName(name), { kind: 'usage' }, name);
  }
});

test('options survive their text, and anything else is the defaults', () => {
  const options = { threads: 3, cpus: [0, 2] };
  assert.deepEqual(parseServerOptions(JSON.stringify(options)), options);
  for (const text of ['', 'null', '[]', '{"threads":-1,"cpus":"0"}', '{"threads":33}']) {
    assert.deepEqual(parseServerOptions(text), SERVER_DEFAULTS, text);
  }
  fc.assert(fc.property(fc.json(), (text) => checkServerOptions(parseServerOptions(text))));
});

test('a number of threads that cannot be is refused', () => {
  for (const threads of [-1, 33, 1.5, Number.NaN]) {
    assert.throws(() => checkServerOptions({ ...SERVER_DEFAULTS, threads }), { kind: 'usage' });
  }
});

test('what no option can be is refused in words, whatever it is', () => {
  for (const [cpus, said] of [
    ['0', /`cpus` cannot be '0'/],
    [null, /cannot be null/],
    [[0, 'x'], /cannot be \[ 0, 'x' \]/],
  ] as const) {
    assert.throws(() => checkServerOptions({ threads: 0, cpus: cpus as never }), { kind: 'usage', message: said });
  }
  assert.throws(() => checkServerOptions({ threads: '2' as never, cpus: [] }), {
    kind: 'usage',
    message: /cannot have '2' shared threads/,
  });
  assert.throws(() => serverName(5 as never), { kind: 'usage', message: /^5 cannot be the name/ });
});
