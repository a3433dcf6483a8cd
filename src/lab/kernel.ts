import { labError } from './errors.ts';
import { recipe } from './recipe.ts';

export interface KernelPackages {
  /** The release as `uname -r` prints it: `7.3.4+deb13-cloud-amd64`. */
  readonly release: string;
  readonly image: string;
  readonly modules: string;
  /** Named after the first two numbers of the release. */
  readonly source: string;
}

/** Finds the newest kernel of the recipe among the names of all packages of the suite. */
export function newestKernel(packageNames: readonly string[]): KernelPackages {
  const names = new Set(packageNames);
  const releases = packageNames
    .flatMap((name) => recipe.kernelModules.exec(name)?.[1] ?? [])
    .filter((release) => names.has(`linux-binary-${release}`) && names.has(sourceOf(release)));
  const release = releases.toSorted(compareReleases).at(-1);
  if (release === undefined) {
    throw labError(`${recipe.backports} has no kernel that matches ${recipe.kernelModules.source}`, {
      hint: 'the suite may have moved on: update src/lab/recipe.ts',
    });
  }
  return { release, image: `linux-binary-${release}`, modules: `linux-modules-${release}`, source: sourceOf(release) };
}

/** Orders kernel releases by their numbers: 7.3.4 before 7.3.10. */
export function compareReleases(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function sourceOf(release: string): string {
  const [major, minor] = release.split('.');
  return `linux-source-${major}.${minor}`;
}
