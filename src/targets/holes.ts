/**
 * DISCARD and WRITE_ZEROES as holes and zeroed ranges of the files underneath, offered only where these can make them.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { callInt } from '../native/libc/ffi.ts';
import {
  EXT_MAGIC,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  FS_EXTENT_FL,
  FS_IOC_GETFLAGS,
} from '../native/uapi/fs.ts';
import { UBLK_IO_F_NOUNMAP, UBLK_IO_OP_DISCARD, UBLK_IO_OP_WRITE_ZEROES } from '../native/uapi/ublk-io.ts';
import { deviceNumber } from '../control/block-devices.ts';
import type { ParamsInit } from '../control/commands.ts';
import { UBLK_PARAM_TYPE_DISCARD } from '../native/uapi/ublk-params.ts';

/** The ways in which the backing files can discard and zero. It is plain data, because queue threads get it. */
export interface Holes {
  /** FALLOC_FL_PUNCH_HOLE: the data is gone, and its space free. */
  readonly punches: boolean;
  /** FALLOC_FL_ZERO_RANGE: the data is gone, and its space kept. */
  readonly zeroes: boolean;
  /** fallocate without a mode: gives holes their space. Together with `punches` it replaces `zeroes`. */
  readonly allocates: boolean;
  /** Bytes. */
  readonly granularity: number;
}

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
const ZERO = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
const ALLOCATE = FALLOC_FL_KEEP_SIZE;
/** Node has no name for it. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

export const NO_HOLES: Holes = { punches: false, zeroes: false, allocates: false, granularity: 512 };

/** A request's bytes stay below 2^31, so that they fit where the bytes of a read do. */
const MAX_BYTES = 0x7fffffff;

export function holesOf(fd: number, path: string, bytes: number): Holes {
  const stat = fstatSync(fd, { bigint: true });
  const granularity = Number(stat.blksize);
  if (stat.isBlockDevice()) return holesOfDevice(stat.rdev, granularity);
  // Beyond the end there is nothing to lose.
  const punches = can(fd, PUNCH, Math.ceil(bytes / granularity) * granularity, granularity);
  if (!punches) return NO_HOLES;
  const works = hasBlockMap(fd) ? () => false : modesOfFileSystem(dirname(path), stat.dev, granularity);
  return { punches, zeroes: works(ZERO), allocates: works(ALLOCATE), granularity };
}

/** The ways that all of these files have. */
export function commonHoles(all: readonly Holes[]): Holes {
  return {
    punches: all.every((holes) => holes.punches),
    zeroes: all.every((holes) => holes.zeroes),
    allocates: all.every((holes) => holes.allocates),
    granularity: Math.max(...all.map((holes) => holes.granularity)),
  };
}

/** `params` with the limits of DISCARD and WRITE_ZEROES, where there are any. */
export function withHoles(params: ParamsInit, holes: Holes): ParamsInit {
  if (!holes.punches && !holes.zeroes) return params;
  const sectors = Math.floor(MAX_BYTES / holes.granularity) * (holes.granularity / 512);
  return {
    ...params,
    types: (params.types ?? 0) | UBLK_PARAM_TYPE_DISCARD,
    discard: {
      discard_granularity: holes.granularity,
      max_discard_sectors: holes.punches ? sectors : 0,
      max_write_zeroes_sectors: writesZeroes(holes) ? sectors : 0,
      max_discard_segments: 1,
    },
  };
}

/** Zeroes whose space must be kept are ZERO_RANGE, or a hole that is allocated again. */
function writesZeroes(holes: Holes): boolean {
  return holes.zeroes || (holes.punches && holes.allocates);
}

/** fallocate's mode for a DISCARD or WRITE_ZEROES request; 0: EOPNOTSUPP. Hot path. */
export function holeMode(holes: Holes, op: number, flags: number): number {
  if (op === UBLK_IO_OP_DISCARD) return holes.punches ? PUNCH : 0;
  if (holes.zeroes && (!holes.punches || (flags & UBLK_IO_F_NOUNMAP) !== 0)) return ZERO;
  return holes.punches ? PUNCH : 0;
}

/**
 * The mode of a second fallocate for the same range, or 0. Where there is no ZERO_RANGE (tmpfs), space that must stay
 * allocated is punched and allocated again: it reads as zeroes all the while. Hot path.
 */
export function secondMode(holes: Holes, op: number, flags: number): number {
  return op === UBLK_IO_OP_WRITE_ZEROES && (flags & UBLK_IO_F_NOUNMAP) !== 0 && !holes.zeroes ? ALLOCATE : 0;
}

const EOPNOTSUPP = 95;
const ENOSYS = 38;

/** Any answer but "not supported" is about this range, or about the space there is, and not about the file system. */
function can(fd: number, mode: number, offset: number, length: number): boolean {
  const result = callInt('fallocate', fd, mode, BigInt(offset), BigInt(length));
  return result.value === 0 || (result.errno !== EOPNOTSUPP && result.errno !== ENOSYS);
}

/**
 * Which modes the file system has, each tried when it is asked about: on a file without a name, as on the client's it
 * would allocate space. A file system without such files has none.
 */
function modesOfFileSystem(directory: string, device: bigint, length: number): (mode: number) => boolean {
  return (mode) => {
    let fd: number;
    try {
      fd = openSync(directory, O_TMPFILE | constants.O_RDWR, 0o600);
    } catch {
      return false;
    }
    try {
      return fstatSync(fd, { bigint: true }).dev === device && can(fd, mode, 0, length);
    } finally {
      closeSync(fd);
    }
  };
}

/**
 * ext4 keeps files of ext2 and ext3 as they were: their block map has holes and nothing else, though a new file on the
 * same file system may have extents.
 */
function hasBlockMap(fd: number): boolean {
  if (statfsSync(`/proc/self/fd/${fd}`).type !== EXT_MAGIC) return false;
  const flags = new Uint8Array(8);
  const { value } = callInt('ioctl', fd, BigInt(FS_IOC_GETFLAGS), flags);
  return value === 0 && (new DataView(flags.buffer).getUint32(0, true) & FS_EXTENT_FL) === 0;
}

/** The kernel punches a block device with WRITE_ZEROES, if the device has that; it zeroes any by writing. */
function holesOfDevice(device: bigint, blockSize: number): Holes {
  const granularity = queueLimit(device, 'discard_granularity') || blockSize;
  return { punches: queueLimit(device, 'write_zeroes_max_bytes') > 0, zeroes: true, allocates: false, granularity };
}

function queueLimit(device: bigint, name: string): number {
  const folder = `/sys/dev/block/${deviceNumber(device)}`;
  // A partition's limits are its disk's, one folder up.
  for (const queue of ['queue', '../queue']) {
    try {
      return Number(readFileSync(`${folder}/${queue}/${name}`, 'utf8'));
    } catch {
      // The limit is not in this folder.
    }
  }
  return 0;
}
