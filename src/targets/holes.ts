/**
 * DISCARD and WRITE_ZEROES as holes and zeroed ranges of the files underneath, offered only where these can make them.
 */
import { fstatSync, readFileSync } from 'node:fs';
import { callInt } from '../native/libc/ffi.ts';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE } from '../native/uapi/fs.ts';
import { UBLK_IO_F_NOUNMAP, UBLK_IO_OP_DISCARD } from '../native/uapi/ublk-io.ts';
import type { ParamsInit } from '../control/commands.ts';
import { UBLK_PARAM_TYPE_DISCARD } from '../native/uapi/ublk-params.ts';

/** fallocate's modes, 0 for what the file cannot do. Plain data: queue threads get it. */
export interface Holes {
  readonly discard: number;
  /** WRITE_ZEROES that may give the space back. */
  readonly zero: number;
  /** WRITE_ZEROES with NOUNMAP: the space stays allocated. */
  readonly zeroAllocated: number;
  /** Bytes. */
  readonly granularity: number;
}

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
const ZERO = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;

export const NO_HOLES: Holes = { discard: 0, zero: 0, zeroAllocated: 0, granularity: 512 };

/** A request's bytes stay below 2^31, so that they fit where the bytes of a read do. */
const MAX_BYTES = 0x7fffffff;

export function holesOf(fd: number, bytes: number): Holes {
  const stat = fstatSync(fd, { bigint: true });
  if (stat.isBlockDevice()) return holesOfDevice(stat.rdev, Number(stat.blksize));
  // Beyond the end there is nothing to lose. ZERO_RANGE would allocate there, so it is not tried: a file system that
  // punches but does not zero (tmpfs) says so when it comes to it, and the client's kernel then writes zeroes.
  const granularity = Number(stat.blksize);
  const punches = canPunch(fd, Math.ceil(bytes / granularity) * granularity, granularity);
  return holesFrom(punches, punches, granularity);
}

/** What several files can do together. */
export function commonHoles(all: readonly Holes[]): Holes {
  const every = (mode: (holes: Holes) => number): boolean => all.every((holes) => mode(holes) !== 0);
  const granularity = Math.max(...all.map((holes) => holes.granularity));
  return holesFrom(
    every((holes) => holes.discard),
    every((holes) => holes.zeroAllocated),
    granularity,
  );
}

export function holesFrom(punches: boolean, zeroes: boolean, granularity: number): Holes {
  const zeroAllocated = zeroes ? ZERO : 0;
  return { discard: punches ? PUNCH : 0, zero: punches ? PUNCH : zeroAllocated, zeroAllocated, granularity };
}

/** `params` with the limits of DISCARD and WRITE_ZEROES, where there are any. */
export function withHoles(params: ParamsInit, holes: Holes): ParamsInit {
  if (holes.zero === 0) return params;
  const sectors = Math.floor(MAX_BYTES / holes.granularity) * (holes.granularity / 512);
  return {
    ...params,
    types: (params.types ?? 0) | UBLK_PARAM_TYPE_DISCARD,
    discard: {
      discard_granularity: holes.granularity,
      max_discard_sectors: holes.discard === 0 ? 0 : sectors,
      max_write_zeroes_sectors: sectors,
      max_discard_segments: 1,
    },
  };
}

/** The mode for a DISCARD or WRITE_ZEROES request with these flags; 0: EOPNOTSUPP. Hot path. */
export function holeMode(holes: Holes, op: number, flags: number): number {
  if (op === UBLK_IO_OP_DISCARD) return holes.discard;
  return (flags & UBLK_IO_F_NOUNMAP) === 0 ? holes.zero : holes.zeroAllocated;
}

const EOPNOTSUPP = 95;
const ENOSYS = 38;

/** Any answer but "not supported" is about this range, or about the space there is, and not about the file system. */
function canPunch(fd: number, offset: number, length: number): boolean {
  const result = callInt('fallocate', fd, PUNCH, BigInt(offset), BigInt(length));
  return result.value === 0 || (result.errno !== EOPNOTSUPP && result.errno !== ENOSYS);
}

/** The kernel punches a block device with WRITE_ZEROES, if the device has that; it zeroes any by writing. */
function holesOfDevice(device: bigint, blockSize: number): Holes {
  const granularity = queueLimit(device, 'discard_granularity') || Math.max(512, blockSize);
  return holesFrom(queueLimit(device, 'write_zeroes_max_bytes') > 0, true, granularity);
}

function queueLimit(device: bigint, name: string): number {
  const folder = `/sys/dev/block/${major(device)}:${minor(device)}`;
  // A partition's limits are its disk's, one folder up.
  for (const queue of ['queue', '../queue']) {
    try {
      return Number(readFileSync(`${folder}/${queue}/${name}`, 'utf8'));
    } catch {
      // Not here.
    }
  }
  return 0;
}

/** As glibc's gnu_dev_major and gnu_dev_minor have it. */
function major(device: bigint): bigint {
  return ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
}

function minor(device: bigint): bigint {
  return (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
}
