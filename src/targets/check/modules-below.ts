import { realpathSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const MODULE = /\.(?:[cm]?[jt]s|json|wasm|node)$/;
/** What is there for an editor. The guest has a ublkts of its own, and a linked one brings along a whole checkout. */
const FOR_EDITORS = /\/node_modules\/(?:ublkts|@types)$/;

/** The paths of the modules in a folder and below it. Links to folders are followed, but not to one that is gone through already. */
export async function* modulesBelow(folder: string, above: readonly string[] = []): AsyncGenerator<string> {
  const real = realpathSync(folder);
  if (above.includes(real)) return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (FOR_EDITORS.test(path)) continue;
    if (entry.isDirectory() || (entry.isSymbolicLink() && isFolder(path))) yield* modulesBelow(path, [...above, real]);
    else if (entry.isFile() && MODULE.test(entry.name)) yield path;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // A link that leads nowhere.
    return false;
  }
}
