/**
 * Where `bin/run.js` enters. Everything that costs time is imported after the compile cache is on and the question of
 * colour is settled; nothing here or below calls `process.exit`, so that pipes are always flushed.
 */
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { applyColourPolicy } from '../cli/colour.ts';

export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  enableCompileCache(compileCacheDirectory());
  applyColourPolicy(argv, process.env);
  try {
    const { dispatch } = await import('./dispatch.ts');
    await dispatch(argv);
  } catch (error) {
    const { reportFailure } = await import('../cli/report-failure.ts');
    const code = reportFailure(error, argv);
    // A command may have a better one: that of a signal.
    process.exitCode ??= code;
  }
}

/** Node's own default is in /tmp, where anyone could leave compiled code for root to run. */
function compileCacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'ublkts', 'compile');
}
