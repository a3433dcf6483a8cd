/** Finds the file of a target that is a package, from the directory in which the command was typed. */
import { createRequire, findPackageJSON } from 'node:module';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** An absolute path, or null when there is no such package. */
export function resolvePackage(name: string): string | null {
  const from = pathToFileURL(join(process.cwd(), 'target.js'));
  try {
    return createRequire(from).resolve(name);
  } catch {
    // A package of modules only has no entry for `require`.
    return moduleEntry(name, from);
  }
}

function moduleEntry(name: string, from: URL): string | null {
  try {
    const description = findPackageJSON(name, from);
    if (description === undefined) return null;
    const { exports } = JSON.parse(readFileSync(description, 'utf8')) as { exports?: unknown };
    const entry = entryOf(exports);
    return entry === null ? null : join(dirname(description), entry);
  } catch {
    return null;
  }
}

/** What `import 'name'` means: the conditions `import`, `node` and `default`, in the order of the package. */
function entryOf(exports: unknown): string | null {
  if (typeof exports === 'string') return exports;
  if (typeof exports !== 'object' || exports === null) return null;
  if ('.' in exports) return entryOf(exports['.']);
  for (const [condition, entry] of Object.entries(exports)) {
    if (['import', 'node', 'default'].includes(condition)) return entryOf(entry);
  }
  return null;
}
