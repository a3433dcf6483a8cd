/**
 * Serves DISCARD and WRITE_ZEROES with holes and zeroed ranges in the backing files. A device offers only what its
 * files were seen to support.
 */
import { constants, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  EXT4_SUPER_MAGIC,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  FALLOC_FL_ZERO_RANGE,
  FS_EXTENT_FL,
  FS_IOC_GETFLAGS,
} from '../native/uapi/fs.ts';
import { UBLK_IO_F_NOUNMAP, UBLK_IO_OP_DISCARD, UBLK_IO_OP_WRITE_ZEROES } from '../native/uapi/ublk-io.ts';
import { deviceNumber } from '../block/number.ts';
import type { ParamsInit } from '../control/commands.ts';
import { UblkError } from '../errors.ts';
import { UBLK_PARAM_TYPE_DISCARD } from '../native/uapi/ublk-params.ts';
import { ERRNO } from '../native/uapi/errno.ts';
import { O_TMPFILE } from '../native/uapi/fcntl.ts';
import type { BackingCalls } from './backing-calls.ts';

/**
 * The ways in which the backing files can discard and zero. This is plain data, because it is passed to queue threads.
 */
export interface Holes {
  /** FALLOC_FL_PUNCH_HOLE works: it removes the data and frees its space. */
  readonly punches: boolean;
  /** FALLOC_FL_ZERO_RANGE works: it removes the data and keeps its space. */
  readonly zeroes: boolean;
  /** fallocate without a mode works: it gives holes space again. Together with `punches` it replaces `zeroes`. */
  readonly allocates: boolean;
  /** The unit of a hole, in bytes. */
  readonly granularity: number;
}

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
const ZERO = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
const ALLOCATE = FALLOC_FL_KEEP_SIZE;
const { EOPNOTSUPP, ENOSYS } = ERRNO;

export const NO_HOLES: Holes = { punches: false, zeroes: false, allocates: false, granularity: 512 };

/** The longest DISCARD or WRITE_ZEROES in bytes, so that its length fits in an int32 as that of a read does. */
const MAX_BYTES = 0x7fffffff;

export async function holesOf(calls: BackingCalls, fd: number, bytes: number): Promise<Holes> {
  const stat = await calls.fstat(fd);
  const granularity = Number(stat.blksize);
  if (stat.isBlockDevice()) return holesOfDevice(stat.rdev, granularity);
  // The hole is tried behind the end of the file, where there is no data.
  const punches = await can(calls, fd, PUNCH, Math.ceil(bytes / granularity) * granularity, granularity);
  if (!punches) return NO_HOLES;
  const works = (await hasBlockMap(calls, fd))
    ? () => false
    : modesOfFileSystem(calls.of(dirname(calls.path)), stat.dev, granularity);
  return { punches, zeroes: await works(ZERO), allocates: await works(ALLOCATE), granularity };
}

/** The ways that all of these files support. */
export function commonHoles(all: readonly Holes[]): Holes {
  return {
    punches: all.every((holes) => holes.punches),
    zeroes: all.every((holes) => holes.zeroes),
    allocates: all.every((holes) => holes.allocates),
    granularity: Math.max(...all.map((holes) => holes.granularity)),
  };
}

/** Adds the limits of DISCARD and WRITE_ZEROES to `params`, if the files support either. */
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

/** Whether WRITE_ZEROES can keep the space allocated: with ZERO_RANGE, or with a hole that is allocated again. */
function writesZeroes(holes: Holes): boolean {
  return holes.zeroes || (holes.punches && holes.allocates);
}

/** The mode of fallocate for a DISCARD or WRITE_ZEROES request, or 0 when the request is not supported. Hot path. */
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

/** Whether fallocate supports `mode`. Any error but "not supported" is about this range or about free space. */
async function can(calls: BackingCalls, fd: number, mode: number, offset: number, length: number): Promise<boolean> {
  const result = await calls.int('fallocate', fd, mode, BigInt(offset), BigInt(length));
  return result.value === 0 || (result.errno !== EOPNOTSUPP && result.errno !== ENOSYS);
}

/**
 * Returns a function that says whether the file system supports a mode of fallocate. The mode is tried on an unnamed
 * file, because on the backing file it would allocate space. A file system without unnamed files is taken to support
 * none.
 */
function modesOfFileSystem(
  directory: BackingCalls,
  device: bigint,
  length: number,
): (mode: number) => Promise<boolean> {
  return async (mode) => {
    let fd: number;
    try {
      fd = await directory.open(O_TMPFILE | constants.O_RDWR, 0o600);
    } catch (error) {
      if (error instanceof UblkError) throw error;
      return false;
    }
    try {
      return (await directory.fstat(fd)).dev === device && (await can(directory, fd, mode, 0, length));
    } finally {
      await directory.close(fd);
    }
  };
}

/**
 * Whether the file was made by ext2 or ext3. ext4 keeps the block map of such a file, which supports holes and nothing
 * else, although a new file on the same file system may have extents.
 */
async function hasBlockMap(calls: BackingCalls, fd: number): Promise<boolean> {
  if ((await calls.statfs(fd)).type !== EXT4_SUPER_MAGIC) return false;
  const flags = new Uint8Array(8);
  const { value } = await calls.int('ioctl', fd, BigInt(FS_IOC_GETFLAGS), flags);
  return value === 0 && (new DataView(flags.buffer).getUint32(0, true) & FS_EXTENT_FL) === 0;
}

/**
 * The kernel punches a hole in a block device with WRITE_ZEROES, if the device has that. It can zero every block device
 * by writing.
 */
function holesOfDevice(device: bigint, blockSize: number): Holes {
  const granularity = queueLimit(device, 'discard_granularity') || blockSize;
  return { punches: queueLimit(device, 'write_zeroes_max_bytes') > 0, zeroes: true, allocates: false, granularity };
}

function queueLimit(device: bigint, name: string): number {
  const folder = `/sys/dev/block/${deviceNumber(device)}`;
  // A partition has the limits of its disk, which is one folder up.
  for (const queue of ['queue', '../queue']) {
    try {
      return Number(readFileSync(`${folder}/${queue}/${name}`, 'utf8'));
    } catch {
      // The limit is not in this folder.
    }
  }
  return 0;
}
