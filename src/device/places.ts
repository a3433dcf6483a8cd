/** Where the paths lead that a device depends on, as this process sees them. */
import { isAbsolute } from 'node:path';
import type { Place } from '../record/device-record.ts';
import type { AddOptions } from '../spec/options.ts';
import { type FoundFile, identityOf, lookAt } from '../targets/looks.ts';
import { builtInTarget } from '../targets/registry.ts';

/** The file of a target of somebody's own, or the paths that are among the options of a built-in one. */
export function pathsAmong(target: string, targetOptions: AddOptions['targetOptions']): readonly string[] {
  if (isAbsolute(target)) return [target];
  return builtInTarget(target)?.places?.(targetOptions) ?? [];
}

/** Resolves to the places of the backing files, and of those of the paths that lead anywhere. */
export async function placesOf(files: readonly FoundFile[], paths: readonly string[]): Promise<Place[]> {
  const places = files.map(placeOf);
  for (const path of new Set(paths)) {
    const stat = await lookAt(path);
    if (stat !== null && stat !== 'late') places.push(placeOf({ path, stat }));
  }
  return places;
}

function placeOf({ path, stat }: FoundFile): Place {
  return { path, identity: identityOf(stat) };
}
