import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { errorLines, reportFailure } from '../../src/cli/failures/report-failure.ts';
import { hintFor } from '../../src/cli/failures/hints.ts';
import { UblkError } from '../../src/errors.ts';

describe('a hint names only a command that can help', () => {
  test('who has a device open can be asked about a device that does not stop', () => {
    const busy = { code: 'EBUSY', command: 'STOP_DEV', device: 3 };
    assert.equal(hintFor(new UblkError('busy', busy)), 'fuser -v /dev/ublkb3 shows who has it open');
  });

  test('a server that is busy has no opener to name', () => {
    assert.equal(hintFor(new UblkError('busy', { code: 'EBUSY' })), undefined);
    assert.equal(hintFor(new UblkError('busy', { code: 'EBUSY', command: 'open', device: 3 })), undefined);
  });

  test('root is not told to become root', () => {
    const hint = hintFor(new UblkError('refused', { code: 'EPERM' })) ?? '';
    assert.match(hint, process.geteuid?.() === 0 ? /container/ : /as root/);
  });

  test('what the library says comes first', () => {
    assert.equal(hintFor(new UblkError('busy', { code: 'EPERM', hint: 'wait' })), 'wait');
  });
});

test('an error is one line, whatever names are in it', () => {
  const error = new UblkError('cannot open /a\nb\u001b[2J', { code: 'ENOENT' });
  const [first, ...rest] = errorLines(error, ['add']).trimEnd().split('\n');
  assert.match(first ?? '', /cannot open \/a\\nb\\x1b\[2J \(ENOENT\)$/);
  assert.deepEqual(rest, []);
});

test("Node's own error about a file is told in words", ({ mock }) => {
  const write = mock.method(process.stderr, 'write', () => true);
  try {
    readFileSync('/nonexistent/server.log');
  } catch (error) {
    reportFailure(error, ['serve']);
  }
  assert.match(
    String(write.mock.calls[0]?.arguments[0]),
    /cannot open \/nonexistent\/server\.log: No such file or directory \(ENOENT\)\n/,
  );
});
