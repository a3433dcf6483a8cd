import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checksViews } from '../../src/cli/output/checks.ts';
import type { Check } from '../../src/device/doctor/check.ts';

test('the findings stand below each other, whatever the longest name is', () => {
  const checks: Check[] = [
    { name: 'node', status: 'ok', detail: 'found', hint: null },
    { name: 'io_uring_enter', status: 'warn', detail: 'found', hint: null },
  ];
  const lines = checksViews(checks).kublk().trimEnd().split('\n');
  assert.deepEqual(new Set(lines.map((line) => line.indexOf('found'))), new Set([20]));
});
