/** A directory for temporary files that cannot be used is named, and nothing else is blamed. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { runFio } from '../src/device/bench/run-fio.ts';
import { temporaryHome } from '../src/temporary-home.ts';

const before = process.env['TMPDIR'];
afterEach(() => {
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
});

test('it is that of TMPDIR', () => {
  process.env['TMPDIR'] = '/var/tmp';
  assert.equal(temporaryHome(), '/var/tmp');
});

test('the error says what is wrong with it', () => {
  process.env['TMPDIR'] = '/nonexistent';
  assert.throws(
    temporaryHome,
    /^UblkError: temporary files cannot be kept in \/nonexistent: there is no such directory$/,
  );
  process.env['TMPDIR'] = '/dev/null';
  assert.throws(temporaryHome, /kept in \/dev\/null: it is not a directory$/);
});

test('fio is not said to be missing', async () => {
  process.env['TMPDIR'] = '/nonexistent';
  await assert.rejects(runFio(['--version']), { code: 'ENOENT', hint: /TMPDIR/ });
});
