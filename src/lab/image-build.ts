import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Archive } from './apt.ts';
import { labError } from './errors.ts';
import type { KernelPackages } from './kernel.ts';
import type { TaskOptions } from './progress.ts';
import { recipe } from './recipe.ts';
import { runTool } from './tool.ts';
import { unpackKernel } from './vmlinux.ts';

/** The files in an image's directory. */
export const KERNEL_FILE = 'kernel';
export const ROOT_FILE = 'root.img';

const BUILD_PREFIX = 'building-';

export interface ImageContents {
  readonly kernel: KernelPackages;
  /** Packages in addition to the recipe's. */
  readonly morePackages: readonly string[];
}

/**
 * Makes an image from nothing. Everything happens in a directory of its own, which gets its name at the end, so an image is
 * either complete or absent.
 */
export async function makeImage(
  directory: string,
  contents: ImageContents,
  archive: Archive,
  options: TaskOptions,
): Promise<void> {
  const { kernel } = contents;
  const work = await mkdtemp(path.join(path.dirname(directory), BUILD_PREFIX));
  try {
    const root = path.join(work, 'root');
    const source = path.join(work, 'source');
    const result = path.join(work, 'result');
    await mkdir(source);
    await mkdir(result);

    options.onProgress?.(`downloading packages (kernel ${kernel.release})`);
    await archive.download([...guestPackages(contents), kernel.source]);
    options.onProgress?.('unpacking the kernel source and installing the packages');
    // Both run even if one fails, so that nothing still writes to the directory when it is removed.
    await allDone([unpackSource(kernel, archive, source, options), installRoot(root, contents, archive, options)]);
    options.onProgress?.('compiling kublk');
    await addSource(source, root, options);
    options.onProgress?.('making the disk image');
    await extractKernel(root, kernel, path.join(result, KERNEL_FILE));
    await makeDisk(root, path.join(result, ROOT_FILE), options);
    await rename(result, directory);
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * The lock is ours: whatever is there was left by a build that was killed. Its last programs may still be ending; what
 * they keep, the next build removes.
 */
export async function removeAbandonedBuilds(images: string): Promise<void> {
  for (const name of await readdir(images)) {
    if (!name.startsWith(BUILD_PREFIX)) continue;
    await rm(path.join(images, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}

function guestPackages({ kernel, morePackages }: ImageContents): string[] {
  // The suite's own headers describe its own, older kernel.
  return [...recipe.packages, ...morePackages, `linux-libc-dev/${recipe.backports}`, kernel.image, kernel.modules];
}

async function installRoot(root: string, contents: ImageContents, archive: Archive, options: TaskOptions) {
  const args = [
    '--mode=root',
    '--variant=minbase',
    // The files are the cache's own (hard links): mmdebstrap must neither refuse nor delete them.
    '--skip=download/empty,essential/unlink',
    `--setup-hook=mkdir -p "$1/var/cache/apt/archives" && ln '${archive.debs}'/*.deb "$1/var/cache/apt/archives/"`,
    `--include=${guestPackages(contents).join(',')}`,
    ...(await transportSettings()).map((setting) => `--aptopt=${setting}`),
    '--aptopt=APT::Sandbox::User "root"',
    '--dpkgopt=force-unsafe-io',
    ...recipe.leaveOut.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
    recipe.suite,
    root,
    ...archive.sources,
  ];
  // A build that is killed would leave the mounts of its root, and whoever removes that would walk through /proc and /sys.
  await runTool('mmdebstrap', args, { signal: options.signal, ownMounts: true });
}

/** mmdebstrap's apt does not read the machine's configuration; a proxy must still be used in it. */
async function transportSettings(): Promise<string[]> {
  const dump = await runTool('apt-config', ['dump', '--format', '%F "%v"%n', 'Acquire'], { debianPackage: 'apt' });
  return dump.split('\n').filter((line) => /^Acquire::(?:https?::|Check-|Retries )\S* ?".+"$/.test(line));
}

async function unpackSource(kernel: KernelPackages, archive: Archive, source: string, options: TaskOptions) {
  const pipeline = [
    'set -o pipefail',
    'name=$1 deb=$2; shift 2',
    'dpkg-deb --fsys-tarfile "$deb" | tar --extract --to-stdout "./usr/src/$name.tar.xz" |',
    'tar --extract --xz --strip-components=1 --wildcards "${@/#/$name/}"',
  ].join('\n');
  const deb = (await readdir(archive.debs))
    .filter((name) => name.startsWith(`${kernel.source}_`))
    .toSorted()
    .at(-1);
  if (deb === undefined) throw labError(`apt downloaded no ${kernel.source}`);
  await runTool('bash', ['-c', pipeline, 'bash', kernel.source, path.join(archive.debs, deb), ...recipe.kernelSource], {
    cwd: source,
    signal: options.signal,
    debianPackage: 'xz-utils',
  });
}

/** Puts the source where the guest expects it and compiles the reference server with the guest's own compiler. */
async function addSource(source: string, root: string, options: TaskOptions): Promise<void> {
  await cp(source, path.join(root, recipe.sourceRoot), { recursive: true });
  // A newer compiler's new warning is no reason to have no lab.
  const script = [
    `cd ${recipe.sourceRoot}/tools/testing/selftests/ublk`,
    'make --silent WERROR=0',
    `cp -a . ${recipe.kublkRoot}`,
    'mkdir -p /ublkts /results',
  ].join(' && ');
  await runTool('chroot', [root, 'sh', '-c', script], { signal: options.signal, debianPackage: 'coreutils' });
}

async function extractKernel(root: string, kernel: KernelPackages, target: string): Promise<void> {
  const bzImage = await readFile(path.join(root, 'usr/lib/modules', kernel.release, 'vmlinuz'));
  await writeFile(target, unpackKernel(bzImage) ?? bzImage);
}

async function makeDisk(root: string, disk: string, options: TaskOptions): Promise<void> {
  await rm(path.join(root, 'var/cache/apt'), { recursive: true, force: true });
  // No journal: whatever the guest writes is thrown away. Inode tables now, or the guest's kernel writes them at run time.
  const features = ['-t', 'ext4', '-O', '^has_journal', '-m', '0', '-N', '131072', '-E', 'lazy_itable_init=0'];
  await runTool('mke2fs', ['-q', '-F', ...features, '-d', root, disk, recipe.imageSize], {
    signal: options.signal,
    debianPackage: 'e2fsprogs',
  });
}

async function allDone(tasks: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(tasks)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}
