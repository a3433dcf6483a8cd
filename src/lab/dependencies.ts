import { createHash, randomUUID } from 'node:crypto';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory, exists, forgetUnused, markUsed } from './cache.ts';
import type { TaskOptions } from './progress.ts';
import { runTool } from './tool.ts';

/**
 * A disk with the project's node_modules: hundreds of megabytes that change only when npm runs, while the rest of the
 * tree is small and changes all the time (job.ts). Undefined when there is no node_modules.
 */
export async function dependenciesDisk(projectRoot: string, options: TaskOptions): Promise<string | undefined> {
  const modules = await modulesOf(projectRoot);
  if (modules === undefined) return undefined;
  const directory = cacheDirectory('dependencies');
  const disk = path.join(directory, `${await fingerprint(modules)}.img`);
  if (!(await exists(disk))) {
    options.onProgress?.('packing node_modules');
    // Two runs at the same time each make a disk, and the last rename wins. The disks are the same.
    const temporary = `${disk}.${randomUUID()}`;
    try {
      await makeDisk(modules, temporary, options);
      await rename(temporary, disk);
    } finally {
      await rm(temporary, { force: true });
    }
  }
  await markUsed(disk);
  await forgetUnused(directory, 2);
  return disk;
}

/** npm puts the packages that an installed package needs beside it, unless two versions of one are needed. */
export async function modulesOf(projectRoot: string): Promise<string | undefined> {
  const own = path.join(projectRoot, 'node_modules');
  if (await exists(own)) return own;
  const parent = path.dirname(projectRoot);
  return path.basename(parent) === 'node_modules' ? parent : undefined;
}

/** Identifies the contents of node_modules: npm writes its hidden lockfile last, whatever it changed. */
async function fingerprint(modules: string): Promise<string> {
  const lockfile = path.join(modules, '.package-lock.json');
  const hash = createHash('sha256').update(modules);
  if (await exists(lockfile)) hash.update(await readFile(lockfile));
  hash.update(String((await stat((await exists(lockfile)) ? lockfile : modules)).mtimeMs));
  return hash.digest('hex').slice(0, 16);
}

async function makeDisk(modules: string, disk: string, { signal }: TaskOptions): Promise<void> {
  const [blocks, files] = await Promise.all([usage(modules, '--block-size=4096'), usage(modules, '--inodes')]);
  // Room for inode tables and directory blocks; the image is sparse.
  const size = Math.ceil(blocks * 1.1) + Math.ceil(files / 8) + 4096;
  const features = ['-t', 'ext4', '-O', '^has_journal', '-m', '0', '-N', String(files + 1024), '-b', '4096'];
  await runTool('mke2fs', ['-q', '-F', ...features, '-d', modules, disk, String(size)], {
    signal,
    debianPackage: 'e2fsprogs',
  });
}

async function usage(directory: string, unit: string): Promise<number> {
  const text = await runTool('du', ['--summarize', unit, directory], { debianPackage: 'coreutils' });
  return Number.parseInt(text, 10);
}
