/**
 * Decides whether there are colours. This happens before chalk and oclif are loaded, because both look at the
 * environment once, when they are imported, and chalk does not know NO_COLOR.
 */
import { wants } from '../argv/global-flags.ts';

export function applyColourPolicy(argv: readonly string[], env: NodeJS.ProcessEnv): void {
  const refused = (env['NO_COLOR'] ?? '') !== '' || wants('no-color', argv);
  if (!refused) return;
  env['FORCE_COLOR'] = '0';
  env['NO_COLOR'] = '1';
}
