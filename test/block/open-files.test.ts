/** The files that other processes have open. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFilesOf, openFilesOfOthers } from '../../src/block/open-files.ts';

const FFI = new URL('../../src/native/libc/ffi.ts', import.meta.url).href;
const SYS_exit = 60;

test('a process whose first thread has ended still has its files open', { skip: process.arch !== 'x64' }, async () => {
  // The other threads of Node go on, as a thread does that was killed and waits for a disk.
  const script = `const { callInt } = await import('${FFI}'); callInt('syscall', ${SYS_exit}n, 0);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const pid = child.pid ?? -1;
  try {
    for (let tries = 0; !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')); tries++) {
      assert.ok(tries < 500, 'the first thread has not ended');
      await sleep(20);
    }
    const links = [...openFilesOfOthers()].filter((file) => file.pid === pid).map(({ link }) => link);
    assert.ok(links.some((link) => readlinkSync(link) === '/dev/null'));
    assert.deepEqual(openFilesOf(pid).sort(), links.sort());
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
