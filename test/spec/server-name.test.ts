import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverName } from '../../src/spec/server-name.ts';

test('a resident server that is given no name is the default one', () => assert.equal(serverName(''), 'main'));

test('a name can be part of the name of a file', () => {
  for (const name of ['main', 'a', 'fast-2.x_y', '0']) assert.equal(serverName(name), name);
  for (const name of ['.', '../x', 'a/b', 'a b', '-x', 'x'.repeat(33), 'ü', 'a\n']) {
    assert.throws(() => serverName(name), { kind: 'usage' }, name);
  }
});
