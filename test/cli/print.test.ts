/** How a result is printed: at once as far as stdout takes it, and all of it in any case. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const PRINT = new URL('../../src/cli/output/print.ts', import.meta.url).href;
/** More than a pipe or a socket has room for. */
const LINES = 200_000;
const LONG = `'line\\n'.repeat(${LINES})`;
const directory = mkdtempSync(join(tmpdir(), 'print-'));

describe('printOut', () => {
  after(() => rmSync(directory, { recursive: true }));

  test('a reader that is slow gets everything, in the order in which it was printed', async () => {
    const child = program(
      `process.stdout.write(${LONG}); printOut('between\\n'); printOut(${LONG}); printOut('end\\n');`,
    );
    await sleep(500);
    const chunks: Buffer[] = [];
    child.stdout!.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(child, 'close');
    const lines = Buffer.concat(chunks).toString().split('\n');
    assert.equal(lines.length, 2 * LINES + 3);
    assert.deepEqual([lines[LINES], lines[2 * LINES + 1]], ['between', 'end']);
  });

  test('a pipe of a shell that is slow gets everything', () => {
    const words = ['-c', '"$@" | { sleep 1; wc -l; }', 'sh', process.execPath, ...scriptWords(`printOut(${LONG});`)];
    assert.equal(Number(spawnSync('sh', words).stdout), LINES);
  });

  test('a file gets everything', async () => {
    const path = join(directory, 'file');
    const fd = openSync(path, 'w');
    await once(program(`printOut('first\\n'); process.stdout.write('second\\n'); printOut('');`, fd), 'close');
    closeSync(fd);
    assert.equal(readFileSync(path, 'utf8'), 'first\nsecond\n');
  });

  test('what cannot be written is an error of the stream', async () => {
    const full = openSync('/dev/full', 'w');
    const child = program(`process.stdout.on('error', ({ code }) => console.error(code)); printOut('text');`, full);
    const [said] = (await once(child.stderr!, 'data')) as [Buffer];
    closeSync(full);
    assert.equal(said.toString(), 'ENOSPC\n');
  });
});

/** Its stdout is a socket, unless it is a file. */
function program(code: string, stdout: number | 'pipe' = 'pipe'): ChildProcess {
  return spawn(process.execPath, scriptWords(code), { stdio: ['ignore', stdout, 'pipe'] });
}

function scriptWords(code: string): string[] {
  return ['--input-type=module', '-e', `import { printOut } from '${PRINT}'; ${code}`];
}
