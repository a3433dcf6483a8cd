import assert from 'node:assert/strict';
import { test } from 'node:test';
import { terminalEnvironment } from '../../src/lab/terminal-environment.ts';

test('a guest draws in ASCII and without colours where the terminal does', () => {
  assert.deepEqual(terminalEnvironment({ TERM: 'vt100', LANG: 'de_DE.ISO-8859-1', NO_COLOR: '1' }), {
    TERM: 'vt100',
    LANG: 'C',
    NO_COLOR: '1',
  });
  assert.deepEqual(terminalEnvironment({ LC_ALL: 'en_US.UTF-8', COLORTERM: 'truecolor' }), {
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    COLORTERM: 'truecolor',
  });
});
