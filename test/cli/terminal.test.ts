/** What a person at a terminal sees, through a pseudo-terminal. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { spawn } from '@lydell/node-pty';
import { NO_DRIVER } from '../../src/control/missing-driver.ts';
import { LONGEST_MS, ROOT } from './run.ts';

const noDriver = { skip: existsSync('/dev/ublk-control') && 'this machine has the ublk driver' };
const ESCAPE = '\u001b[';

describe('a terminal', () => {
  test('gets a table instead of what scripts read', noDriver, async () => {
    const screen = await onTerminal('list');
    assert.equal(stripVTControlCharacters(screen), `no ublk devices\r\nnote: ${NO_DRIVER}\r\n`);
    assert.ok(screen.includes(ESCAPE));
  });

  test("gets kublk's text on demand", noDriver, async () => {
    const screen = await onTerminal('list --format kublk');
    assert.equal(stripVTControlCharacters(screen), `note: ${NO_DRIVER}\r\n`);
  });

  test('is told when there is nothing to delete', noDriver, async () => {
    assert.equal(stripVTControlCharacters(await onTerminal('del -a')), 'no ublk devices\r\n');
  });

  test('gets no escape codes with NO_COLOR', noDriver, async () => {
    const screen = await onTerminal('features', { NO_COLOR: '1' });
    assert.match(screen, /^ublkts features: /);
    assert.ok(!screen.includes(ESCAPE));
  });

  test('gets readable JSON', noDriver, async () => {
    const printed = `{\r\n  "version": 1,\r\n  "devices": [],\r\n  "notice": ${JSON.stringify(NO_DRIVER)}\r\n}\r\n`;
    assert.equal(await onTerminal('list --json'), printed);
  });
});

describe('monitor without --once and --count', () => {
  test('prints lines on a terminal that has no cursor', { timeout: 60_000 }, async () => {
    const words = [`${ROOT}bin/run.js`, 'monitor', '--interval', '0.2'];
    const screen = await screenOf(process.execPath, words, { TERM: 'dumb' }, /"devices":/);
    assert.match(screen, /"devices":/);
    assert.match(screen, /until Ctrl-C/);
    assert.ok(!screen.includes(ESCAPE), screen);
  });

  test('tells a person who pipes it how it ends', async () => {
    const screen = await shellOnTerminal('ublkts monitor --interval 0.1 | head -n 1 >/dev/null');
    assert.match(screen, /until Ctrl-C; --once or --count N ends it earlier/);
  });

  test('says nothing with --count, and nothing to a log', async () => {
    const counted = await shellOnTerminal('ublkts monitor --once >/dev/null');
    const logged = await shellOnTerminal('ublkts monitor --interval 0.1 2>&1 | head -n 1');
    assert.doesNotMatch(counted + logged, /--once/);
  });
});

function shellOnTerminal(line: string): Promise<string> {
  const script = `ublkts() { ${process.execPath} ${ROOT}bin/run.js "$@"; }; ${line}`;
  return screenOf('bash', ['-c', script]);
}

function onTerminal(line: string, env: Record<string, string> = {}): Promise<string> {
  return screenOf(process.execPath, [`${ROOT}bin/run.js`, ...line.split(' ')], env);
}

/** Ctrl-C is typed when `last` is on the screen, if that is given. */
function screenOf(
  program: string,
  words: string[],
  env: Record<string, string> = {},
  last: RegExp | null = null,
): Promise<string> {
  const terminal = spawn(program, words, {
    cols: 100,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/root', TERM: 'xterm-256color', ...env },
  });
  let screen = '';
  let isEnding = false;
  terminal.onData((data) => {
    screen += data;
    if (isEnding || last?.test(screen) !== true) return;
    isEnding = true;
    terminal.write('\u0003');
  });
  const late = setTimeout(() => terminal.kill('SIGKILL'), LONGEST_MS);
  return new Promise((resolve) => {
    terminal.onExit(() => {
      clearTimeout(late);
      resolve(screen);
    });
  });
}
