import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeControls } from '../../src/text/escape.ts';

test('what could rewrite the screen or forge a line is shown and not done', () => {
  assert.equal(escapeControls('a\nb\r\tc'), 'a\\nb\\r\\tc');
  assert.equal(escapeControls('\u001b[2Jx\u0007\u007f'), '\\x1b[2Jx\\x07\\x7f');
  assert.equal(escapeControls('\u009b31m\u0085'), '\\x9b31m\\x85');
  assert.equal(escapeControls('img\u202egnp\u2028'), 'img\\u202egnp\\u2028');
});

test('every other character stays', () => {
  const text = 'C:\\disk 磁盘 e\u0301 👨‍👩‍👧 "quoted"';
  assert.equal(escapeControls(text), text);
});
