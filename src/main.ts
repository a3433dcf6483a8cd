/**
 * The program's entry, which `bin/run.js` calls. Everything that costs time is imported after the compile cache is on
 * (dispatch.ts) and after it is decided whether there are colours. Nothing here or below calls `process.exit`, so that pipes are
 * always flushed.
 */
import { cacheHome, NO_HOME } from './cache-home.ts';
import { wants } from './cli/argv/global-flags.ts';
import { dispatch } from './cli/dispatch/dispatch.ts';
import { applyColourPolicy } from './cli/output/colour.ts';
import { reportUnwritable } from './cli/output/unwritable.ts';

export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  if (cacheHome() === undefined) standInForPasswd();
  reportUnwritable();
  applyColourPolicy(argv, process.env);
  // Stacks then name lines of the source. Only what is imported from here on is mapped, and reading maps takes time.
  if (wants('debug', argv)) process.setSourceMapsEnabled(true);
  try {
    await dispatch(argv);
  } catch (error) {
    const { reportFailure } = await import('./cli/failures/report-failure.ts');
    reportUnwritable();
    const code = reportFailure(error, argv);
    // A command may have set a better one: that of the signal that ended its server.
    process.exitCode ??= code;
  }
}

/** Makes `process.exit` end the process at once. Node would wait for its threads, and one may look at a file that does not answer. */
export async function waitForNoThread(): Promise<void> {
  const { exitNow } = await import('./native/libc/calls.ts');
  process.once('exit', (code) => exitNow(Number(process.exitCode ?? code)));
}

/** oclif asks for a home and a shell while it is loaded, and throws for a user that /etc/passwd does not know. */
function standInForPasswd(): void {
  process.env['HOME'] ??= NO_HOME;
  process.env['SHELL'] ??= '/bin/sh';
}
