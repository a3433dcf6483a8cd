/** What a person at a terminal sees, through a pseudo-terminal. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { spawn } from '@lydell/node-pty';
import { ROOT } from './run.ts';

const noDriver = { skip: existsSync('/dev/ublk-control') && 'this machine has the ublk driver' };
const ESCAPE = '\u001b[';

describe('a terminal', () => {
  test('gets a table instead of what scripts read', noDriver, async () => {
    const screen = await onTerminal('list');
    assert.equal(stripVTControlCharacters(screen), 'no ublk devices; ublkts add -t null makes one\r\n');
    assert.ok(screen.includes(ESCAPE));
  });

  test("gets kublk's text on demand", noDriver, async () => assert.equal(await onTerminal('list --format kublk'), ''));

  test('gets no escape codes with NO_COLOR', noDriver, async () => {
    const screen = await onTerminal('features', { NO_COLOR: '1' });
    assert.match(screen, /^ublkts features: /);
    assert.ok(!screen.includes(ESCAPE));
  });

  test('gets readable JSON', noDriver, async () => {
    assert.equal(await onTerminal('list --json'), '{\r\n  "version": 1,\r\n  "devices": []\r\n}\r\n');
  });
});

function onTerminal(line: string, env: Record<string, string> = {}): Promise<string> {
  const terminal = spawn(process.execPath, [`${ROOT}bin/run.js`, ...line.split(' ')], {
    cols: 100,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/root', TERM: 'xterm-256color', ...env },
  });
  let screen = '';
  terminal.onData((data) => (screen += data));
  return new Promise((resolve) => terminal.onExit(() => resolve(screen)));
}
