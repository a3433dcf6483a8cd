import { existsSync } from 'node:fs';
import path from 'node:path';

let root: string | undefined;

/** A path in this package: its modules are bundled (docs/decisions/0009), so none of them knows how deep it lies. */
export function packagePath(...parts: readonly string[]): string {
  root ??= nearest(import.meta.dirname);
  return path.join(root, ...parts);
}

function nearest(directory: string): string {
  return existsSync(path.join(directory, 'package.json')) ? directory : nearest(path.dirname(directory));
}
