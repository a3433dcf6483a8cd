/** What the target nbd writes into its server's log, for tests. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { TestContext } from 'node:test';

/** The lines that the queue writes into the log from now on. */
export function logged(t: TestContext): string[] {
  const lines: string[] = [];
  const write = fs.writeSync;
  const { mock } = t.mock.method(fs, 'writeSync', (...all: Parameters<typeof fs.writeSync>) => {
    if (all[0] === 2) lines.push(all[1]);
    return write(...all);
  });
  syncBuiltinESMExports();
  t.after(() => {
    mock.restore();
    syncBuiltinESMExports();
  });
  return lines;
}
