/** The hand: a program of one page that enters a ring once. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { handProgram, hasHandProgram } from '../../src/control/hand/program.ts';

const skip = hasHandProgram(process.arch) ? false : `there is no code for ${process.arch}`;

test('it runs and ends, also where descriptor 3 is no ring', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'hand-'));
  try {
    const file = join(folder, 'hand');
    writeFileSync(file, handProgram(2));
    chmodSync(file, 0o755);
    const { status, signal } = spawnSync(file, [], { timeout: 10_000 });
    assert.deepEqual({ status, signal }, { status: 0, signal: null });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
