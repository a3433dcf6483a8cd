/**
 * The program's entry, which `bin/run.js` calls. Everything that costs time is imported after the compile cache is on
 * and after it is decided whether there are colours. Nothing here or below calls `process.exit`, so that pipes are
 * always flushed.
 */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { cacheHome, NO_HOME } from './cache-home.ts';
import { wants } from './cli/argv/global-flags.ts';
import { applyColourPolicy } from './cli/output/colour.ts';

export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  // Node's own default is in /tmp, where anyone could leave compiled code for root to run.
  const cache = cacheHome();
  if (cache === undefined) standInForPasswd();
  else enableCompileCache(join(cache, 'ublkts', 'compile'));
  applyColourPolicy(argv, process.env);
  // Stacks then name lines of the source. Only what is imported from here on is mapped, and reading maps takes time.
  if (wants('debug', argv)) process.setSourceMapsEnabled(true);
  try {
    const { dispatch } = await import('./cli/dispatch/dispatch.ts');
    await dispatch(argv);
  } catch (error) {
    const { reportFailure } = await import('./cli/failures/report-failure.ts');
    const code = reportFailure(error, argv);
    // A command may have set a better one: that of the signal that ended its server.
    process.exitCode ??= code;
  }
}

/** oclif asks for a home and a shell while it is loaded, and throws for a user that /etc/passwd does not know. */
function standInForPasswd(): void {
  process.env['HOME'] ??= NO_HOME;
  process.env['SHELL'] ??= '/bin/sh';
}
