/**
 * A plugin of the bundler: a module of oclif loads another one when it first uses it, and not when it is loaded itself
 * (docs/decisions/0016). oclif is compiled from TypeScript, so that each of its imports is one line,
 * `const ux_1 = require("./ux")`, and each use begins with that name. The line becomes a function and the uses become
 * calls of it.
 */
import type { Plugin } from 'rolldown';

const OF_OCLIF = /\/node_modules\/@oclif\/core\/lib\/.*\.js$/;
const IMPORT = /^const (\w+) = ((?:__import(?:Default|Star)\()?require\("[^"]+"\)\)?);$/gm;

/** What a command refers to and never uses: it runs without a loaded configuration, and help has modules of its own. */
const REFERRED_FROM = /\/@oclif\/core\/lib\/(?:command|flags|errors\/handle)\.js$/;
const UNUSED = /^\.{1,2}\/(config|help)(?:\/index)?$/;

export const lateRequires: Plugin = {
  name: 'late-requires',
  resolveId: {
    filter: { id: UNUSED },
    handler: (source, importer) => {
      if (importer === undefined || !REFERRED_FROM.test(importer)) return null;
      return { id: source.replace(UNUSED, '@oclif/core/$1'), external: true };
    },
  },
  transform: {
    filter: { id: OF_OCLIF },
    // Source maps leave the sources of packages out (bundle.ts), so none is made of the new text.
    handler: (code) => ({ code: requireLate(code), map: null }),
  },
};

/** The text of a module whose imports are made when they are used. No line moves. */
export function requireLate(code: string): string {
  const names = [...code.matchAll(IMPORT)].map(([, name = '']) => name);
  const late = code.replaceAll(IMPORT, 'const $1 = () => $2;');
  return names.reduce(useLate, late);
}

/** `ux_1.stdout` becomes `(ux_1().stdout)`: after `new`, the name of a class must not look like its call. */
export function useLate(code: string, name: string): string {
  const use = new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])(\\.[\\w$]+)?(?! = \\(\\) =>)`, 'g');
  return code.replaceAll(use, (_all, member?: string) => (member === undefined ? `${name}()` : `(${name}()${member})`));
}
