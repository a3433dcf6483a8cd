import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { openArchive } from './apt.ts';
import { cacheDirectory, exists, forgetUnused, markUsed } from './cache.ts';
import { labError } from './errors.ts';
import { KERNEL_FILE, makeImage, removeAbandonedBuilds, ROOT_FILE } from './image-build.ts';
import { compareReleases, newestKernel } from './kernel.ts';
import { withLock } from './lock.ts';
import type { TaskOptions } from './progress.ts';
import { recipeHash } from './recipe.ts';

/** An image that QEMU boots: a kernel, and an ext4 file system with everything else. */
export interface LabImage {
  readonly directory: string;
  readonly kernelRelease: string;
  readonly kernel: string;
  readonly root: string;
}

/** The image in the cache, built first when there is none. Asks the network for nothing when there is one. */
export async function ensureImage(options: ImageOptions = {}): Promise<LabImage> {
  return (await cachedImage(options.packages)) ?? (await buildImage(options));
}

export interface ImageOptions extends TaskOptions {
  /**
   * Debian packages in addition to the recipe's. Each list of packages has an image of its own, so the ordinary image is as
   * small as it was.
   */
  readonly packages?: readonly string[] | undefined;
}

export interface BuildOptions extends ImageOptions {
  /** Look for a newer kernel even though there is an image. */
  readonly refresh?: boolean;
}

/** Builds the image unless the cache has it. Of two callers at the same time, the second waits for the first. */
export async function buildImage(options: BuildOptions = {}): Promise<LabImage> {
  const images = cacheDirectory('images');
  return withLock(path.join(cacheDirectory(), 'build.lock'), options, async () => {
    if (!options.refresh) {
      const image = await cachedImage(options.packages);
      if (image) return image;
    }
    requireRoot();
    await removeAbandonedBuilds(images);
    options.onProgress?.('reading the package lists of Debian');
    const archive = await openArchive(cacheDirectory('apt'), options);
    const kernel = newestKernel(await archive.packageNames());
    const directory = path.join(images, imageName(kernel.release, options.packages));
    const morePackages = options.packages ?? [];
    if (!(await exists(directory))) await makeImage(directory, { kernel, morePackages }, archive, options);
    await archive.forgetOldDebs();
    await markUsed(directory);
    await forgetUnused(images, 14);
    return imageIn(directory, kernel.release);
  });
}

async function cachedImage(packages: readonly string[] | undefined): Promise<LabImage | undefined> {
  const images = cacheDirectory('images');
  const suffix = imageName('', packages);
  const releases = (await readdir(images))
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length));
  const release = releases.toSorted(compareReleases).at(-1);
  if (release === undefined) return undefined;
  const directory = path.join(images, imageName(release, packages));
  await markUsed(directory);
  return imageIn(directory, release);
}

function imageName(kernelRelease: string, packages: readonly string[] | undefined): string {
  return `${kernelRelease}.${recipeHash(packages)}`;
}

function imageIn(directory: string, kernelRelease: string): LabImage {
  return {
    directory,
    kernelRelease,
    kernel: path.join(directory, KERNEL_FILE),
    root: path.join(directory, ROOT_FILE),
  };
}

function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw labError('building the lab image needs root: it installs a Debian system into a directory', {
    code: 'EPERM',
    hint: 'run `sudo ublkts lab build` once; running the lab needs no root if the cache is readable',
  });
}
