/**
 * Claims on backing files: while a server lives, no second one writes the file that it serves. A file's lock belongs to
 * its inode, so it holds for every name and bind mount of the file; a block device is also opened with O_EXCL, which the
 * kernel refuses for what is mounted, swap, below dm or md, or in another server's hands. The kernel gives both back
 * when the server ends, however it ends.
 */
import { type BigIntStats, constants, openSync, readFileSync } from 'node:fs';
import { deviceNumber } from '../control/block-devices.ts';
import { UblkError } from '../errors.ts';
import { tryLock } from '../native/libc/file-lock.ts';
import { ERRNO, errnoText } from '../native/uapi/errno.ts';
import { option } from '../spec/option-names.ts';
import { holderOf } from './holders.ts';

export interface ClaimOptions {
  /** Other devices that say the same may use the file too. */
  readonly share: boolean;
  /** The device that claims: what its record names is no other's. -1: it has no id yet. */
  readonly device: number;
  /** The device's server before this one may still be leaving. */
  readonly recovering: boolean;
}

/**
 * A server that was killed keeps its files until the kernel has ended its rings, which is a moment after the process is
 * gone: a claim without a holder that can be named is tried again for so long.
 */
const LEAVING_MS = 2000;
const RECOVERING_MS = 5000;
const RETRY_MS = 20;

/** Opens a block device or file; a block device so that nobody else can claim it. Throws the errors of open(2). */
export function openClaimed(path: string, flags: number, stat: BigIntStats, options: ClaimOptions): number {
  if (!stat.isBlockDevice() || options.share || isReadOnlyDisk(stat)) return openSync(path, flags);
  return claimed(path, stat, options, () => {
    try {
      return openSync(path, flags | constants.O_EXCL);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EBUSY') return null;
      throw error;
    }
  });
}

/**
 * Locks an open file: exclusively if it is to be written, shared if it is only read or if sharing is asked for. Returns
 * null, or a note when the file system has no locks.
 */
export function lockClaimed(
  file: { readonly fd: number; readonly path: string; readonly readOnly: boolean },
  stat: BigIntStats,
  options: ClaimOptions,
): string | null {
  const kind = options.share || file.readOnly ? 'shared' : 'exclusive';
  const errno = claimed(file.path, stat, options, () => {
    const result = tryLock(file.fd, kind);
    return result === ERRNO.EAGAIN ? null : result;
  });
  if (errno === 0) return null;
  return `${file.path} cannot be locked (${errnoText(errno)}), so nothing keeps a second server from using it`;
}

/** `attempt` until it gives something: null means that another has the file. */
function claimed<T>(path: string, stat: BigIntStats, options: ClaimOptions, attempt: () => T | null): T {
  const deadline = performance.now() + (options.recovering ? RECOVERING_MS : LEAVING_MS);
  for (;;) {
    const result = attempt();
    if (result !== null) return result;
    const holder = holderOf(stat, options.device);
    if (holder !== null || performance.now() > deadline) throw refusedUse(path, holder ?? 'another program holds it');
    sleepHere(RETRY_MS);
  }
}

/** `who` is a sentence about the other user. */
export function refusedUse(path: string, who: string): UblkError {
  return new UblkError(`cannot use backing file ${path}: ${who}`, {
    code: 'EBUSY',
    command: 'open',
    hint: [
      'end that use first, or use another file; only devices that all have ',
      option('share'),
      ' can use a file together',
    ],
  });
}

/** A disk that the kernel holds read-only needs no claim, because nobody can write it. */
function isReadOnlyDisk(stat: BigIntStats): boolean {
  try {
    return readFileSync(`/sys/dev/block/${deviceNumber(stat.rdev)}/ro`, 'utf8').trim() === '1';
  } catch {
    return false;
  }
}

/** Blocks the thread, which runs nothing else yet: the server has not begun to serve. */
function sleepHere(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
