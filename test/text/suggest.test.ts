import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closest } from '../../src/text/suggest.ts';

const COMMANDS = ['add', 'del', 'list', 'update_size', 'quiesce', 'monitor'];

test('the beginning of a word is recognised, where only one begins so', () => {
  assert.equal(closest('upda', [...COMMANDS, 'update-size']), 'update_size');
  assert.equal(closest('delay', ['delay_us', 'depth']), 'delay_us');
  assert.equal(closest('tls', ['tls_psk_file', 'tls_hostname']), undefined);
  assert.equal(closest('qu', COMMANDS), undefined);
});

test('a slip is recognised', () => {
  assert.equal(closest('lsit', COMMANDS), 'list');
  assert.equal(closest('monitr', COMMANDS), 'monitor');
  assert.equal(closest('update-siz', COMMANDS), 'update_size');
  assert.equal(closest('Add', COMMANDS), 'add');
});

test('a different word is not guessed at', () => {
  assert.equal(closest('frobnicate', COMMANDS), undefined);
  assert.equal(closest('xyz', COMMANDS), undefined);
});
