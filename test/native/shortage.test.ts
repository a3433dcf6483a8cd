/** Errors that say that something has run out, as one line with the limit's name. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { lastWords } from '../../src/device/servers/ending.ts';
import { UblkError } from '../../src/errors.ts';
import { isUnstarted, shortageHint, shortageOf, spawnFailure, throwShortage } from '../../src/native/shortage.ts';

/** As Node 26 makes them. */
function errorOf(message: string, facts: Partial<NodeJS.ErrnoException>): Error {
  return Object.assign(new Error(message), facts);
}

describe('a shortage', () => {
  const cases = [
    [
      errorOf('EMFILE: too many open files', { code: 'EMFILE', syscall: 'open', path: '/x' }),
      'open /x: Too many open files',
      /ulimit -n/,
    ],
    [
      errorOf('spawn EMFILE', { code: 'EMFILE', syscall: 'spawn sh', path: 'sh' }),
      'spawn sh: Too many open files',
      /ulimit -n/,
    ],
    [
      errorOf('spawn EAGAIN', { code: 'EAGAIN', syscall: 'spawn sh' }),
      'spawn sh: Resource temporarily unavailable',
      /pids\.max/,
    ],
    [
      errorOf('Worker initialization failure: EMFILE', { code: 'ERR_WORKER_INIT_FAILED' }),
      'a worker thread: Too many open files',
      /ulimit -n/,
    ],
    [
      errorOf('Worker initialization failure: EAGAIN', { code: 'ERR_WORKER_INIT_FAILED' }),
      'a worker thread: Resource temporarily unavailable',
      /ulimit -u/,
    ],
    [
      errorOf('Worker terminated', { code: 'ERR_WORKER_OUT_OF_MEMORY' }),
      'a worker thread: Cannot allocate memory',
      /ulimit -v/,
    ],
  ] as const;
  for (const [error, message, hint] of cases) {
    test(message, () => {
      const told = shortageOf(error);
      assert.equal(told?.message, message);
      assert.match(told?.hint ?? '', hint);
    });
  }

  test('is not what a missing file or a defect is', () => {
    assert.equal(shortageOf(new TypeError('x is not a function')), undefined);
    try {
      readFileSync('/nowhere');
    } catch (error) {
      throwShortage(error);
      assert.equal(shortageOf(error), undefined);
    }
  });

  test('a Node that gave up is quoted with the line that says why', () => {
    const said =
      '\n#\n# Fatal process out of memory: Failed to reserve virtual memory for CodeRange\n#\n----- Native stack trace -----\n\n 1: 0x1 node::A()\n 2: 0x2 [node]\n';
    assert.equal(lastWords(said), 'Fatal process out of memory: Failed to reserve virtual memory for CodeRange');
    assert.match(shortageHint(said) ?? '', /ulimit -v/);
    const stack =
      '#\n# Fatal process out of memory: CodeRange\n 1: 0x1 node::Assert(node::AssertionInfo const&)\n 2: 0x2 node::WorkerThreadsTaskRunner::Run()\n';
    assert.equal(lastWords(stack), 'Fatal process out of memory: CodeRange');
    assert.equal(lastWords('one\ntwo\n'), 'one | two');
    const thrown =
      "node:internal/modules/cjs/loader:1404\n  throw err;\n  ^\n\nError: Cannot find module './x'\nRequire stack:\n    at wrap (node:x:1) {\n  code: 'MODULE_NOT_FOUND'\n}\n\nNode.js v26.10.0\n";
    assert.equal(lastWords(thrown), "Error: Cannot find module './x'");
    assert.equal(shortageHint('one'), undefined);
  });
});

test('a process that cannot be started is named, and so is /dev/null', () => {
  const missing = Object.assign(new Error('spawn /x/node ENOENT'), { code: 'ENOENT', syscall: 'spawn /x/node' });
  const failure = spawnFailure(missing);
  assert.ok(failure instanceof UblkError && isUnstarted(failure));
  assert.equal(failure.message, 'cannot start /x/node: No such file or directory');
  assert.equal(failure.hint, '`ls -l /x/node /dev/null` shows what is missing: both are needed');
  const other = Object.assign(new Error('open'), { code: 'ENOENT', syscall: 'open' });
  assert.equal(spawnFailure(other), other);
  // Node throws this one at once, and does not say which program it is about.
  const tooLong = Object.assign(new Error('spawn E2BIG'), { code: 'E2BIG', errno: -7, syscall: 'spawn' });
  assert.equal((spawnFailure(tooLong) as Error).message, 'cannot start a process: Argument list too long');
});
