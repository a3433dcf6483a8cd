/** The log of a server on a file system that is full. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';

test('a log that cannot be written ends no server, whoever writes to it', () => {
  const module = new URL('../../src/server/log.ts', import.meta.url).href;
  const program = `
    const { log, surviveFullLog } = await import(${JSON.stringify(module)});
    process.on('uncaughtException', () => process.kill(process.pid, 'SIGKILL'));
    surviveFullLog();
    log('a line of the server');
    console.error('a line of a target');
    console.log('another one');
    setTimeout(() => process.exit(7), 50);`;
  const full = openSync('/dev/full', 'w');
  try {
    const stdio: ['ignore', number, number] = ['ignore', full, full];
    const { status, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { stdio });
    assert.deepEqual([status, signal], [7, null]);
  } finally {
    closeSync(full);
  }
});
