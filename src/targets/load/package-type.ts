/** Reads the `type` of the nearest package.json, by which Node takes .js and .ts for ES modules or for CommonJS. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface PackageType {
  /** The path of the package.json. */
  readonly file: string;
  /** Its `type`; undefined when it has none, and null when it cannot be read. */
  readonly type: unknown;
}

/** null: no package.json is above the folder. */
export function packageTypeOf(folder: string): PackageType | null {
  const file = nearestPackage(folder);
  if (file === null) return null;
  try {
    return { file, type: (JSON.parse(readFileSync(file, 'utf8')) as { type?: unknown }).type };
  } catch {
    return { file, type: null };
  }
}

function nearestPackage(directory: string): string | null {
  const file = join(directory, 'package.json');
  if (existsSync(file)) return file;
  const parent = dirname(directory);
  return parent === directory ? null : nearestPackage(parent);
}
