#!/usr/bin/env node
/**
 * `npm run demo`: the monitor in this terminal, over real devices in the lab's guest. The devices and the traffic on them
 * are in demo/scene.ts. The guest ends with the monitor.
 */
import process from 'node:process';
import { progressPrinter } from '../src/cli/running/progress.ts';
import { UblkError } from '../src/errors.ts';
import { guestShell } from '../src/lab/shell.ts';
import { runHarness } from './harness/lab.ts';
import { ROOT } from './harness/root.ts';

await runHarness(async (_scratch, signal) => {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new UblkError('the demo needs a terminal: `npm start` shows the same without one', { code: 'ENOTTY' });
  }
  const progress = progressPrinter(process.stderr);
  const { exitCode } = await guestShell({
    command: ['node', 'tools/demo/scene.ts'],
    projectRoot: ROOT,
    onProgress: progress.onProgress,
    onStart: progress.clear,
    signal,
  }).finally(progress.clear);
  return exitCode;
});
