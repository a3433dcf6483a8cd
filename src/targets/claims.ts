/**
 * Claims on backing files: while a server lives, no second server writes the file that it serves. A file is locked; the
 * lock belongs to the inode, so it holds for every name and bind mount of the file. A block device is also opened with
 * O_EXCL, which the kernel refuses for a disk that is mounted, used as swap, below dm or md, or claimed by another
 * server. The kernel releases both when the server ends, however it ends.
 */
import { type BigIntStats, constants, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { deviceNumber } from '../block/number.ts';
import { milliseconds } from '../clock.ts';
import { UblkError } from '../errors.ts';
import { ERRNO, errnoText } from '../native/uapi/errno.ts';
import { option } from '../spec/option-names.ts';
import type { BackingCalls } from './backing-calls.ts';
import { type FileUser, holderOf } from './holders.ts';

export interface ClaimOptions {
  /** Whether other devices that also share may use the file too. */
  readonly share: boolean;
  /**
   * The id of the device that claims the file, so that its own record is not taken for another user. -1 while it has no
   * id.
   */
  readonly device: number;
  /** Whether the device's previous server may still be ending. */
  readonly recovering: boolean;
  /** Whether the server has other devices, which must not wait for this file. */
  readonly resident: boolean;
}

/**
 * How long a claim is tried again when nobody can be named who has the file. A server that was killed keeps its files
 * until the kernel has ended its rings, which is a moment after the process is gone.
 */
const LEAVING_MS = 2000;
const RECOVERING_MS = 5000;
const RETRY_MS = 20;

/**
 * Opens a file or block device, a block device with O_EXCL so that nobody else can claim it. Throws the errors of
 * BackingCalls.
 */
export async function openClaimed(
  calls: BackingCalls,
  flags: number,
  stat: BigIntStats,
  options: ClaimOptions,
): Promise<number> {
  if (!stat.isBlockDevice() || options.share || isReadOnlyDisk(stat)) return calls.open(flags);
  return claimed(calls.path, stat, options, async () => {
    try {
      return await calls.open(flags | constants.O_EXCL);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EBUSY') return null;
      throw error;
    }
  });
}

/**
 * Locks an open file: exclusively if it will be written, shared if it is only read or if sharing is asked for. Returns
 * null, or a note when the file system has no locks.
 */
export async function lockClaimed(
  calls: BackingCalls,
  { fd, readOnly }: { readonly fd: number; readonly readOnly: boolean },
  stat: BigIntStats,
  options: ClaimOptions,
): Promise<string | null> {
  const kind = options.share || readOnly ? 'shared' : 'exclusive';
  const errno = await claimed(calls.path, stat, options, async () => {
    const result = await calls.lock(fd, kind);
    return result === ERRNO.EAGAIN ? null : result;
  });
  if (errno === 0) return null;
  return `${calls.path} cannot be locked (${errnoText(errno)}), so nothing keeps a second server from using it`;
}

/** For how many milliseconds a claim is tried again while nobody can be named who has what is claimed. */
export function waitingFor({ recovering }: ClaimOptions): number {
  return recovering ? RECOVERING_MS : LEAVING_MS;
}

/** Repeats `attempt` until it succeeds or the time is over. It returns null while another process has the file. */
async function claimed<T>(
  path: string,
  stat: BigIntStats,
  options: ClaimOptions,
  attempt: () => Promise<T | null>,
): Promise<T> {
  const deadline = milliseconds() + waitingFor(options);
  for (;;) {
    const result = await attempt();
    if (result !== null) return result;
    const holder = await holderOf({ path, stat }, options.device);
    if (holder !== null || milliseconds() > deadline) {
      throw refusedUse(path, holder ?? { words: 'another program holds it' });
    }
    await sleep(RETRY_MS);
  }
}

/** The error for a file that is in use, or for an export of a server. `name`: a path, or a URI. */
export function refusedUse(name: string, { words, id }: FileUser, what: 'file' | 'export' = 'file'): UblkError {
  const end =
    id === undefined ? 'end that use first' : `delete that device first (the ${what} stays): \`ublkts del -n ${id}\``;
  return new UblkError(`cannot use ${what === 'file' ? 'backing file' : what} ${name}: ${words}`, {
    code: 'EBUSY',
    command: 'open',
    hint: [`${end}, or use another ${what}; only devices that all have `, option('share'), ` can use the same ${what}`],
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
