import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  BLK_ZONE_COND_EMPTY,
  BLK_ZONE_REP_CAPACITY,
  BLK_ZONE_TYPE_SEQWRITE_REQ,
  blk_zone,
  blk_zone_report,
  decodeZoneReport,
  encodeZones,
} from '../../../src/native/uapi/blkzoned.ts';
import { encode } from '../../../src/native/uapi/codec.ts';

const zone = {
  start: 0x80000,
  len: 0x80000,
  wp: 0x80000,
  type: BLK_ZONE_TYPE_SEQWRITE_REQ,
  cond: BLK_ZONE_COND_EMPTY,
  non_seq: 0,
  reset: 0,
  capacity: 0x7000,
};

test('a report is its header and its zones', () => {
  const header = { sector: 0x80000, nr_zones: 2, flags: BLK_ZONE_REP_CAPACITY };
  const bytes = Buffer.concat([encode(blk_zone_report, header), encodeZones([zone, zone]), Buffer.alloc(64)]);
  assert.deepEqual(decodeZoneReport(bytes), { header, zones: [zone, zone] });
});

test('a report that claims more zones than it carries is refused', () => {
  const bytes = Buffer.concat([encode(blk_zone_report, { nr_zones: 0xffffffff }), encodeZones([zone])]);
  assert.throws(() => decodeZoneReport(bytes), /^RangeError: struct blk_zone_report: 4294967295 zones/);
});

test('random bytes decode as a report, or throw the RangeError that names the struct', () => {
  const tail = fc.uint8Array({ maxLength: 3 * blk_zone.size });
  fc.assert(
    fc.property(fc.nat(3), tail, (nr_zones, tail) => {
      try {
        decodeZoneReport(Buffer.concat([encode(blk_zone_report, { nr_zones }), tail]));
      } catch (error) {
        assert.ok(error instanceof RangeError && error.message.startsWith('struct blk_zone'));
      }
    }),
  );
});
