/** Where the paths lead that a device depends on besides its backing files, as this process sees them. */
import { isAbsolute } from 'node:path';
import type { Place } from '../record/device-record.ts';
import type { AddOptions } from '../spec/options.ts';
import { identityOf, lookAt } from '../targets/looks.ts';
import { builtInTarget } from '../targets/registry.ts';

/** The file of a target of somebody's own, or the paths that are among the options of a built-in one. */
export function pathsAmong(target: string, targetOptions: AddOptions['targetOptions']): readonly string[] {
  if (isAbsolute(target)) return [target];
  return builtInTarget(target)?.places?.(targetOptions) ?? [];
}

/** Resolves to the places of those of the paths that lead anywhere. */
export async function placesOf(paths: readonly string[]): Promise<Place[]> {
  const places: Place[] = [];
  for (const path of new Set(paths)) {
    const stat = await lookAt(path);
    if (stat !== null && stat !== 'late') places.push({ path, identity: identityOf(stat) });
  }
  return places;
}
