import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ProgramFiles } from '../../src/server/resident/program-files.ts';

test('a resident server starts no device when an update has replaced or removed its program', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'program-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [file, newer] = [join(directory, 'main.cjs'), join(directory, 'newer.cjs')];
  writeFileSync(file, 'old');
  writeFileSync(newer, 'new');
  const files = new ProgramFiles([file]);
  files.requireSame('main');
  renameSync(newer, file);
  assert.throws(() => files.requireSame('main'), {
    code: 'ESTALE',
    message: /replaced while the server main \(pid \d+\)/,
  });
  rmSync(file);
  assert.throws(() => files.requireSame('main'), { code: 'ESTALE' });
});
