/** Where the paths lead that a device depends on, as this process sees them. */
import type { Place } from '../record/device-record.ts';
import type { AddOptions } from '../spec/options.ts';
import { type FoundFile, identityOf, lookAt } from '../targets/looks.ts';
import { builtInTarget } from '../targets/registry.ts';

/** The paths that are among the options of a target. */
export function pathsAmong(target: string, targetOptions: AddOptions['targetOptions']): readonly string[] {
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
