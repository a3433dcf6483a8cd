/** Suggests how to write an `import` of a target that Node could not resolve. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Matches what Node says of an import of `ublkts` itself, whether or not the package is installed. */
const WHOLE_PACKAGE = /module 'ublkts' does not provide|Cannot find package 'ublkts'/;

export function importHint(error: Error): string | undefined {
  if (WHOLE_PACKAGE.test(error.message)) return "a target imports from 'ublkts/target' or 'ublkts/target/ring'";
  const url: unknown = Reflect.get(error, 'url');
  if (typeof url !== 'string' || !url.startsWith('file:')) return undefined;
  const found = inTypeScript(fileURLToPath(url)).find((file) => existsSync(file));
  return found === undefined
    ? undefined
    : `there is ${basename(found)}: an import has the ending that the file has, also .ts`;
}

/** Compilers and bundlers find `./blocks.ts` as `./blocks` and as `./blocks.js`; Node does not. */
function inTypeScript(path: string): string[] {
  return [`${path}.ts`, `${path}.mts`, path.replace(/\.([cm]?)js$/, '.$1ts')].filter((file) => file !== path);
}
