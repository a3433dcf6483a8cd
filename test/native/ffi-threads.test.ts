/** ffi-rs is not safe for threads by itself: docs/decisions/0012. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('./ffi-threads-program.ts', import.meta.url));
const RUNS = 10;

test('threads that start together call libc together', () => {
  for (let run = 0; run < RUNS; run++) {
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [PROGRAM], {
      encoding: 'utf8',
      timeout: 30_000,
      killSignal: 'SIGKILL',
    });
    assert.equal(signal, null, `run ${run}: ${stderr}`);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, 'ok\nok\nok\n');
  }
});

test('a thread that alone has called libc can end, and the process lives on', () => {
  const calls = JSON.stringify(new URL('../../src/native/libc/calls.ts', import.meta.url).href);
  const thread = `import(${calls}).then(({ gettid }) => gettid())`;
  const program = `new (require('node:worker_threads').Worker)(${JSON.stringify(thread)}, { eval: true }).on('exit', () => setTimeout(() => console.log('ok'), 100));`;
  const { signal, stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  assert.deepEqual([signal, stdout], [null, 'ok\n'], stderr);
});
