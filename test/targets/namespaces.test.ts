/** A resident server takes a device only where its paths and addresses mean what they mean to whoever adds it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { namespacesOf } from '../../src/targets/namespaces.ts';

const BOTH = ['mnt', 'net'];

describe('the namespaces that decide what a device is made of', () => {
  for (const [what, target, targetOptions, expected] of [
    ['nothing is named', 'null', {}, []],
    ['an address', 'nbd', { uri: 'nbd://127.0.0.1/' }, ['net']],
    ['an address with a zone', 'nbd', { uri: 'nbd://[fe80::1%25eth0]/' }, ['net']],
    ['a name, which /etc/hosts may have', 'nbd', { uri: 'nbd://localhost/' }, BOTH],
    ['an address, and files for TLS', 'nbd', { uri: 'nbds://127.0.0.1/?tls-certificates=/pki' }, BOTH],
    ['a socket', 'nbd', { uri: 'nbd+unix:///?socket=/run/a' }, ['mnt']],
    ['a program, which may open anything', 'nbd', { program: 'nbdkit memory 1M' }, BOTH],
    ['a target in a file, which may too', '/srv/ram.ts', {}, BOTH],
  ] as const) {
    test(what, () => assert.deepEqual([...namespacesOf({ target, targetOptions, files: [], buffers: [] })], expected));
  }

  test('files and shared buffers are paths of any target', () => {
    const none = { target: 'null', targetOptions: {}, files: [], buffers: [] };
    assert.deepEqual([...namespacesOf({ ...none, files: ['/a'] })], ['mnt']);
    assert.deepEqual([...namespacesOf({ ...none, buffers: [{ path: '/a', readOnly: false }] })], ['mnt']);
  });
});
