// include/uapi/linux/blkzoned.h, Linux 7.3: zones, and the report of them (BLKREPORTZONE, UBLK_IO_OP_REPORT_ZONES).
import { decode, encodeInto } from './codec.ts';
import type { StructInit, StructValue } from './codec.ts';
import { ior, iow, iowr } from './ioc.ts';
import { reserved, size64, struct, u32, u8 } from './struct.ts';

// enum blk_zone_type
export const BLK_ZONE_TYPE_CONVENTIONAL = 0x1;
export const BLK_ZONE_TYPE_SEQWRITE_REQ = 0x2;
export const BLK_ZONE_TYPE_SEQWRITE_PREF = 0x3;

// enum blk_zone_cond
export const BLK_ZONE_COND_NOT_WP = 0x0;
export const BLK_ZONE_COND_EMPTY = 0x1;
export const BLK_ZONE_COND_IMP_OPEN = 0x2;
export const BLK_ZONE_COND_EXP_OPEN = 0x3;
export const BLK_ZONE_COND_CLOSED = 0x4;
export const BLK_ZONE_COND_READONLY = 0xd;
export const BLK_ZONE_COND_FULL = 0xe;
export const BLK_ZONE_COND_OFFLINE = 0xf;
export const BLK_ZONE_COND_ACTIVE = 0xff;

// enum blk_zone_report_flags
/** Set by the kernel: blk_zone.capacity is filled in. */
export const BLK_ZONE_REP_CAPACITY = 1 << 0;
/** Set by the caller, with BLKREPORTZONEV2 only: a cached report is good enough. */
export const BLK_ZONE_REP_CACHED = 0x80000000;

/** All positions and lengths are in sectors of 512 bytes. */
export const blk_zone = struct('blk_zone', 64, {
  start: size64(0),
  len: size64(8),
  wp: size64(16),
  type: u8(24),
  cond: u8(25),
  non_seq: u8(26),
  reset: u8(27),
  resv: reserved(28, 4),
  capacity: size64(32),
  reserved: reserved(40, 24),
});

/** The head of a report. It is followed by `nr_zones` structs blk_zone. */
export const blk_zone_report = struct('blk_zone_report', 16, {
  sector: size64(0),
  nr_zones: u32(8),
  flags: u32(12),
});

export const blk_zone_range = struct('blk_zone_range', 16, {
  sector: size64(0),
  nr_sectors: size64(8),
});

const BLK = 0x12;
export const BLKREPORTZONE = iowr(BLK, 130, blk_zone_report.size);
export const BLKRESETZONE = iow(BLK, 131, blk_zone_range.size);
export const BLKGETZONESZ = ior(BLK, 132, 4);
export const BLKGETNRZONES = ior(BLK, 133, 4);
export const BLKOPENZONE = iow(BLK, 134, blk_zone_range.size);
export const BLKCLOSEZONE = iow(BLK, 135, blk_zone_range.size);
export const BLKFINISHZONE = iow(BLK, 136, blk_zone_range.size);
export const BLKREPORTZONEV2 = iowr(BLK, 142, blk_zone_report.size);

/** Encodes the array of zones that answers UBLK_IO_OP_REPORT_ZONES. */
export function encodeZones(zones: readonly StructInit<typeof blk_zone>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(zones.length * blk_zone.size);
  const view = new DataView(bytes.buffer);
  for (const [i, zone] of zones.entries()) encodeInto(view, i * blk_zone.size, blk_zone, zone);
  return bytes;
}

/** Decodes the report of BLKREPORTZONE. Throws a RangeError when `bytes` is too short for its nr_zones. */
export function decodeZoneReport(bytes: Uint8Array): {
  readonly header: StructValue<typeof blk_zone_report>;
  readonly zones: StructValue<typeof blk_zone>[];
} {
  const header = decode(blk_zone_report, bytes);
  const needed = blk_zone_report.size + header.nr_zones * blk_zone.size;
  if (needed > bytes.byteLength) {
    throw new RangeError(`struct blk_zone_report: ${header.nr_zones} zones do not fit in ${bytes.byteLength} bytes`);
  }
  const zones = [];
  for (let at = blk_zone_report.size; at < needed; at += blk_zone.size) zones.push(decode(blk_zone, bytes, at));
  return { header, zones };
}
