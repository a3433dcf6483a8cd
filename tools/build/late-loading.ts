/**
 * A plugin of the bundler for what a chunk loads (docs/decisions/0016). A file of CommonJS requires another chunk, or a
 * module of Node's own, when it first uses it. An ES module takes Node's own with `process.getBuiltinModule` and does not import
 * it: an import of `node:fs` reads every property of that module for its namespace, and that loads what the module would load on
 * demand, such as streams, promises and standard input.
 */
import type { Plugin } from 'rolldown';
import { useLate } from './late-requires.ts';

const IMPORT = /^import (?:([\w$]+)(?:, )?)?(?:\* as ([\w$]+)|\{ ([^}]*) \})? from "(node:[\w/]+)";$/gm;
/** Not where the module is made into a namespace on the next line. Files and paths are used by all. */
const REQUIRE = /^let (node_\w+) = require\("(node:(?!fs"|path")[\w/]+)"\);\n(?!\1 = )/gm;

const CHUNK = /^const (require_(?!rolldown_runtime)[\w$]+) = require\("(\.[^"]+)"\);$/gm;

export const lateLoading: Plugin = {
  name: 'late-loading',
  // Here the source maps are made already, and they stay right: no line moves.
  generateBundle({ format }, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type === 'chunk') file.code = format === 'cjs' ? requireLater(file.code) : takeBuiltins(file.code);
    }
  },
};

/** The text of a file of CommonJS that requires other modules when it uses them. No line moves. */
export function requireLater(code: string): string {
  const names = [REQUIRE, CHUNK].flatMap((line) => [...code.matchAll(line)].map(([, name = '']) => name));
  const late = code
    .replaceAll(REQUIRE, 'const $1 = () => process.getBuiltinModule("$2");\n')
    .replaceAll(CHUNK, 'let $1_loaded; const $1 = () => ($1_loaded ??= require("$2"));');
  return names.reduce(useLate, late);
}

/** The text of an ES module that imports nothing of Node's own. */
export function takeBuiltins(code: string): string {
  return code.replaceAll(IMPORT, (_line, whole?: string, namespace?: string, names?: string, module?: string) => {
    // A package may have a `process` of its own, from `node:process`.
    const from = `globalThis.process.getBuiltinModule("${module}")`;
    const bindings = [whole, namespace, names === undefined ? undefined : `{ ${names.replaceAll(' as ', ': ')} }`];
    const parts = bindings.filter((binding) => binding !== undefined).map((binding) => `${binding} = ${from}`);
    return `const ${parts.join(', ')};`;
  });
}
