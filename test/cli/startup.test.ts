/** Start-up is a budget of modules and not of milliseconds: milliseconds depend on who else uses the machine. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ublkts } from './run.ts';

const HEAVY = /\/node_modules\/(?:ink|react|react-reconciler|yoga-layout|@inkjs|@pppp606|execa|typescript)\//;
/** The program is bundled (docs/decisions/0009), so these are chunks and addons; a new dependency shows here. */
const MOST_MODULES = 28;

describe('starting loads no more than it needs', () => {
  for (const line of ['--version', 'list', 'features', 'bench', 'help add', 'lsit']) {
    test(line, () => {
      const loaded = modulesOf(line);
      assert.deepEqual(
        loaded.filter((url) => HEAVY.test(url)),
        [],
      );
      assert.ok(loaded.length > 2 && loaded.length <= MOST_MODULES, `${loaded.length} modules`);
    });
  }

  test('--version, list of nothing and help call nothing native', () => {
    for (const line of ['--version', 'help add']) {
      assert.deepEqual(
        modulesOf(line).filter((url) => /\/node_modules\/(?:ffi-rs|koffi)\//.test(url)),
        [],
      );
    }
  });
});

function modulesOf(line: string): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'ublkts-startup-'));
  try {
    const report = join(directory, 'modules');
    ublkts(line, {
      env: { MODULE_REPORT: report },
      node: ['--import', new URL('report-modules.mjs', import.meta.url).href],
    });
    return readFileSync(report, 'utf8').trim().split('\n');
  } finally {
    rmSync(directory, { recursive: true });
  }
}
