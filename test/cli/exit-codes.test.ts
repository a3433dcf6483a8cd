import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodeOf } from '../../src/cli/failures/exit-codes.ts';
import { interruptible } from '../../src/cli/running/interruption.ts';
import type { UblkError } from '../../src/errors.ts';

test('a command that was interrupted ends as shells have it: 128 and the signal', async () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const interrupted = interruptible(async (aborted) => {
      process.kill(process.pid, signal);
      await new Promise((_resolve, reject) => aborted.addEventListener('abort', () => reject(aborted.reason as Error)));
    });
    await assert.rejects(interrupted, (error: UblkError) => exitCodeOf(error) === code);
  }
});
