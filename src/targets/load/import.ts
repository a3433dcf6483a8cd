/**
 * Imports a target's file into this process. Two things differ from a plain `import()`:
 * - `ublkts/target` and `ublkts/target/ring` are this program's own, wherever the file lies and whatever is installed
 *   beside it, so that a target needs no package to be installed.
 * - Every file that comes in is checked first when root runs it (trusted.ts).
 */
import nodeModule from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { keepCompiledCode } from '../../native/compiled-code.ts';
import { packagePath } from '../../package-root.ts';
import { loadedWithinBound } from './bound.ts';
import { packageTypeOf } from './package-type.ts';
import { addSyntaxPlace } from './syntax-place.ts';
import { readable } from './thrown.ts';
import { requireTrusted } from './trusted.ts';

const OWN: Readonly<Record<string, string>> = {
  'ublkts/target': 'dist/target.js',
  'ublkts/target/ring': 'dist/target-ring.js',
};

/** Messages of Node's that are for whoever runs Node, and not for whoever runs this program. */
const HIDDEN =
  /(?:type stripping|stripTypeScriptTypes) is an experimental feature|MODULE_TYPELESS_PACKAGE_JSON|Failed to load the ES module/i;

export async function importTrusted(url: string): Promise<unknown> {
  requireTrusted(fileURLToPath(url));
  const urls: string[] = [];
  const hooks = registerHooks(urls);
  hideMessages();
  try {
    const loaded: unknown = await loadedWithinBound(import(url), fileURLToPath(url));
    // Whoever removes the types first loads a compiler of 18 MB for it. The server and its threads, which are started
    // next, read what is left without them (118 ms become 2).
    keepCompiledCode();
    return loaded;
  } catch (thrown) {
    const error = readable(thrown);
    addSyntaxPlace(error, urls);
    throw error;
  } finally {
    showMessages();
    hooks?.deregister();
  }
}

/** How many imports are under way. Only the first one finds Node's function, and the last one puts it back. */
let imports = 0;
let emitWarning: (this: NodeJS.Process, warning: string | Error, ...rest: unknown[]) => void = () => {};

function hideMessages(): void {
  if (imports++ > 0) return;
  emitWarning = Reflect.get(process, 'emitWarning') as typeof emitWarning;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    const text = `${String(warning)} ${JSON.stringify(rest)}`;
    if (!HIDDEN.test(text)) Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
}

function showMessages(): void {
  if (--imports === 0) process.emitWarning = emitWarning;
}

/**
 * Node has these since 22.15; without them `ublkts` must be installed where the file finds it. Adds to `urls` the files of the
 * target that are loaded.
 */
function registerHooks(urls: string[]): { deregister(): void } | undefined {
  if (!('registerHooks' in nodeModule)) return undefined;
  return nodeModule.registerHooks({
    resolve(specifier, context, next) {
      const own = OWN[specifier];
      if (own !== undefined) return { url: pathToFileURL(packagePath(own)).href, shortCircuit: true };
      const resolved = next(specifier, context);
      return isTypelessTypeScript(resolved.url) ? { ...resolved, format: 'module-typescript' } : resolved;
    },
    load(url, context, next) {
      if (url.startsWith('file:')) {
        requireTrusted(fileURLToPath(url));
        urls.push(url);
      }
      return next(url, context);
    },
  });
}

/** A .ts file without a package.json that says otherwise is a module; Node would find that out by reading it twice. */
function isTypelessTypeScript(url: string): boolean {
  if (!url.startsWith('file:') || !/\.ts(?:\?|$)/.test(url)) return false;
  const found = packageTypeOf(dirname(fileURLToPath(url)));
  return found === null || found.type === undefined;
}
