import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathsAmong } from '../../src/device/places.ts';

test('what a device depends on besides its files is known of targets of every kind', () => {
  assert.deepEqual(pathsAmong('/srv/ram.ts', {}), ['/srv/ram.ts']);
  assert.deepEqual(pathsAmong('null', {}), []);
  assert.deepEqual(pathsAmong('nbd', { uri: 'nbd+unix:///?socket=/run/nbd/socket' }), ['/run/nbd']);
  assert.deepEqual(pathsAmong('nbd', { uri: 'nbd://example.org' }), []);
});
