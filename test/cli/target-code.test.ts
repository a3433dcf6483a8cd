import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { packagePath } from '../../src/package-root.ts';

test('a target whose file never returns is given up by SIGINT and SIGTERM', { timeout: 60_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ublkts-code-'));
  const file = join(directory, 'endless.mjs');
  writeFileSync(file, "import { writeSync } from 'node:fs';\nwriteSync(2, 'begun\\n');\nfor (;;);\n");
  try {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const command = spawn(process.execPath, [packagePath('bin/run.js'), 'add', '-t', file], { stdio: 'pipe' });
      const ended = once(command, 'exit');
      const [begun] = await once(command.stderr, 'data');
      assert.equal(String(begun), 'begun\n');
      command.kill(signal);
      assert.deepEqual(await ended, [null, signal]);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});
