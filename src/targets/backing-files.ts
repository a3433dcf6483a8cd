/**
 * Opens and closes backing files. Opening a file also claims it for one server and finds out its size, the alignment of
 * its direct I/O and which holes it can have, so that no request has to be refused later. Closing a file syncs it.
 */
import { type BigIntStats, constants, fsync } from 'node:fs';
import { promisify } from 'node:util';
import type { Params } from '../control/commands.ts';
import { UblkError } from '../errors.ts';
import { ioctl } from '../native/libc/calls.ts';
import { textOfCode } from '../native/uapi/errno.ts';
import { BLKGETSIZE64, BLKROGET } from '../native/uapi/fs.ts';
import { type ClaimOptions, lockClaimed, openClaimed } from './claims.ts';
import { type DirectIo, directIoOf } from './direct-io.ts';
import { BackingCalls } from './backing-calls.ts';
import { requireWritableSize } from './file-size-limit.ts';
import { type Holes, holesOf, NO_HOLES } from './holes.ts';
import { deviceOf } from './looks.ts';
import { missingFileHint } from './missing-file.ts';
import {
  refusal,
  requireAnyOrder,
  requireDistinct,
  requireElsewhere,
  requireMadeReadOnly,
  requireUnused,
  requireWrites,
} from './unfit-files.ts';

export interface BackingFile {
  readonly path: string;
  /** How calls on the file are made. */
  readonly calls: BackingCalls;
  readonly fd: number;
  readonly bytes: number;
  readonly readOnly: boolean;
  /** The alignment that I/O on the file needs. */
  readonly alignment: DirectIo;
  readonly holes: Holes;
  /** Sentences about what the user may not expect, such as a read-only file. */
  readonly notes: readonly string[];
}

export interface BackingFileOptions extends ClaimOptions {
  /** Whether to bypass the page cache where the file system can, for the file at this place in the list. */
  readonly direct: (index: number) => boolean;
  /** Whether no file is to be written. */
  readonly readOnly?: boolean;
  /** What the kernel has of a device that is recovered. */
  readonly kept?: Params | null;
}

const fsyncFile = promisify(fsync);
const BUFFERED: DirectIo = { blockShift: 9, memory: 1 };
/** ublk takes logical blocks of up to one page. */
const MAX_BLOCK_SHIFT = 12;

/**
 * Opens all of `paths` or none. Two paths to the same file are refused, because a write through one would destroy data
 * of the other.
 */
export async function openBackingFiles(paths: readonly string[], options: BackingFileOptions): Promise<BackingFile[]> {
  const calls = paths.map((path) => new BackingCalls(path, { caller: options.resident ? 'pool' : 'thread' }));
  const stats = await Promise.all(calls.map((file) => statBackingFile(file, options)));
  requireDistinct(paths, stats);
  const files: BackingFile[] = [];
  try {
    for (const [index, file] of calls.entries()) {
      files.push(await openBackingFile(file, stats[index]!, options.direct(index), options));
    }
    return files;
  } catch (error) {
    await closeUnused(files);
    throw error;
  }
}

/** Reads the file's status before anything opens it. */
async function statBackingFile(calls: BackingCalls, claim: ClaimOptions): Promise<BigIntStats> {
  const { path } = calls;
  try {
    const stat = await calls.stat();
    requireElsewhere(path, deviceOf({ path, stat }), claim.device);
    return stat;
  } catch (error) {
    if (error instanceof UblkError) throw error;
    const code = codeOf(error);
    throw refusal(path, code, textOfCode(code), hintOf(code, path, claim));
  }
}

/** Closes files that nothing was written to. */
export async function closeUnused(files: readonly BackingFile[]): Promise<void> {
  for (const { calls, fd } of files) await closeQuietly(calls, fd);
}

/** Closes without waiting for more than the bound, and ignores errors: the file has been synced, or nothing was written. */
async function closeQuietly(calls: BackingCalls, fd: number): Promise<void> {
  await calls.close(fd).catch(() => {});
}

/**
 * Syncs and closes the files. Throws when one could not be synced, when all are closed. A disk that hangs holds up whoever
 * waits for this, and not the thread, which may have other devices.
 */
export async function closeBackingFiles(files: readonly BackingFile[]): Promise<void> {
  const failures: string[] = [];
  for (const { calls, fd, path } of files) {
    try {
      await fsyncFile(fd);
    } catch (error) {
      failures.push(`fsync of ${path} failed with ${codeOf(error)}`);
    }
    await closeQuietly(calls, fd);
  }
  if (failures.length > 0) throw new UblkError(failures.join(', '), { code: 'EIO', command: 'fsync' });
}

async function openBackingFile(
  calls: BackingCalls,
  stat: BigIntStats,
  wantDirect: boolean,
  claim: OpenOptions,
): Promise<BackingFile> {
  const { path } = calls;
  requireAnyOrder(path, stat);
  if (!claim.share) await requireUnused({ path, stat }, claim.resident);
  const notes: string[] = [];
  const { opened, bytes, alignment } = await openAligned(calls, stat, wantDirect, claim);
  const { fd, direct } = opened;
  try {
    const readOnly = opened.readOnly || (stat.isBlockDevice() && isReadOnlyDevice(fd));
    if (!readOnly && stat.isFile()) {
      requireWritableSize(path, bytes);
      await requireWrites(calls, fd);
    }
    if (readOnly && claim.readOnly !== true) requireMadeReadOnly(path, claim.device, claim.kept ?? null);
    const unlocked = await lockClaimed(calls, opened, stat, claim);
    if (unlocked !== null) notes.push(unlocked);
    if (readOnly && claim.readOnly !== true) notes.push(`${path} cannot be written, so the device is read-only`);
    if (wantDirect && !direct) notes.push(`${path} takes no direct I/O, so it goes through the page cache`);
    const holes = readOnly ? NO_HOLES : await holesOf(calls, fd, bytes);
    return { path, calls, fd, bytes, readOnly, alignment, holes, notes };
  } catch (error) {
    await closeQuietly(calls, fd);
    throw error;
  }
}

interface AlignedFile {
  readonly opened: OpenedFile;
  readonly bytes: number;
  readonly alignment: DirectIo;
}

/** Opens the file for direct I/O if that is wanted and a device can have its blocks, else for the page cache. */
async function openAligned(
  calls: BackingCalls,
  stat: BigIntStats,
  wantDirect: boolean,
  claim: OpenOptions,
): Promise<AlignedFile> {
  const opened = await openFor(calls, stat, wantDirect, claim);
  try {
    const bytes = await sizeOf(calls, opened.fd, claim);
    const alignment = opened.direct ? await directIoOf(calls, opened.fd, bytes) : BUFFERED;
    if (alignment !== null && alignment.blockShift <= MAX_BLOCK_SHIFT) return { opened, bytes, alignment };
  } catch (error) {
    await closeQuietly(calls, opened.fd);
    throw error;
  }
  await calls.close(opened.fd);
  return openAligned(calls, stat, false, claim);
}

type OpenOptions = ClaimOptions & Pick<BackingFileOptions, 'readOnly' | 'kept'>;

interface OpenedFile {
  readonly fd: number;
  readonly direct: boolean;
  readonly readOnly: boolean;
}

/** Opens the file in the best way that works: direct before buffered, writable before read-only. */
async function openFor(
  calls: BackingCalls,
  stat: BigIntStats,
  wantDirect: boolean,
  claim: OpenOptions,
): Promise<OpenedFile> {
  const { path } = calls;
  let readOnly = claim.readOnly ?? false;
  let direct = wantDirect;
  for (;;) {
    const flags = (readOnly ? constants.O_RDONLY : constants.O_RDWR) | (direct ? constants.O_DIRECT : 0);
    try {
      return { fd: await openClaimed(calls, flags, stat, claim), direct, readOnly };
    } catch (error) {
      if (error instanceof UblkError) throw error;
      const code = codeOf(error);
      // EINVAL is how a file system says that it has no O_DIRECT.
      if (code === 'EINVAL' && direct) direct = false;
      else if (['EROFS', 'EACCES', 'EPERM'].includes(code) && !readOnly) readOnly = true;
      else throw refusal(path, code, textOfCode(code), hintOf(code, path, claim));
    }
  }
}

async function sizeOf(calls: BackingCalls, fd: number, claim: ClaimOptions): Promise<number> {
  const { path } = calls;
  const stat = await calls.fstat(fd);
  if (!stat.isFile() && !stat.isBlockDevice()) {
    const hint = 'name a file or a disk; `truncate -s 1G FILE` makes a file';
    throw refusal(path, 'EINVAL', 'it is neither a regular file nor a block device', hint);
  }
  const bytes = stat.isFile() ? Number(stat.size) : blockDeviceSize(fd, path);
  if (bytes === 0)
    throw refusal(path, 'EINVAL', 'it is empty', missingFileHint(path, recoveredOf(claim), 'give it a size'));
  return bytes;
}

function blockDeviceSize(fd: number, path: string): number {
  const size = new Uint8Array(8);
  ioctl(fd, BLKGETSIZE64, size, `BLKGETSIZE64 of ${path}`);
  return Number(new DataView(size.buffer).getBigUint64(0, true));
}

function isReadOnlyDevice(fd: number): boolean {
  const flag = new Uint8Array(4);
  ioctl(fd, BLKROGET, flag, 'BLKROGET');
  return flag[0] !== 0;
}

function recoveredOf({ device, recovering }: ClaimOptions): number | null {
  return recovering ? device : null;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'EIO';
}

function hintOf(code: string, path: string, claim: ClaimOptions): string {
  switch (code) {
    case 'ENOENT':
      return missingFileHint(path, recoveredOf(claim), 'make it first');
    case 'EISDIR':
      return 'name a regular file or a block device';
    case 'ETXTBSY':
      return 'it is in use as a program or as swap: end that use, or use another file';
    case 'EBUSY':
      return 'something else uses it: `lsblk` and `mount` show what';
    default:
      return '`ls -l` shows the file and its permissions';
  }
}
