import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  decodeUserCopyPosition,
  encodeUserCopyPosition,
  ublk_auto_buf_reg_to_sqe_addr,
  ublk_shmem_zc_addr,
  ublk_shmem_zc_index,
  ublk_shmem_zc_offset,
  ublk_sqe_addr_to_auto_buf_reg,
  userCopyPositionHi,
  userCopyPositionLo,
} from '../../../src/native/uapi/ublk-addresses.ts';
import { ublkElemBytes } from '../../../src/native/uapi/ublk-batch.ts';
import {
  UBLK_U_CMD_ADD_DEV,
  UBLK_U_CMD_GET_FEATURES,
  UBLK_U_IO_FETCH_REQ,
} from '../../../src/native/uapi/ublk-commands.ts';
import { ublkStateName } from '../../../src/native/uapi/ublk-device.ts';
import * as features from '../../../src/native/uapi/ublk-features.ts';
import { ublksrv_get_flags, ublksrv_get_op } from '../../../src/native/uapi/ublk-io.ts';

const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffff).chain((high) => fc.nat(0xff).map((low) => high * 256 + low));

test('command numbers are unsigned, as the ring wants them', () => {
  assert.equal(UBLK_U_CMD_ADD_DEV, 0xc0207504);
  assert.equal(UBLK_U_CMD_GET_FEATURES, 0x80207513);
  assert.equal(UBLK_U_IO_FETCH_REQ, 0xc0107520);
});

test('the feature table holds every UBLK_F_ constant, in bit order', () => {
  const constants = Object.entries(features).filter(([name]) => name.startsWith('UBLK_F_'));
  assert.deepEqual(
    features.UBLK_FEATURES.map(({ name, flag }) => [name, flag]),
    constants.sort(([, a], [, b]) => (Number(a) < Number(b) ? -1 : 1)),
  );
  for (const [i, { bit, flag, since }] of features.UBLK_FEATURES.entries()) {
    assert.equal(bit, i);
    assert.equal(flag, 1n << BigInt(bit));
    assert.match(since, /^[67]\.\d+$/);
  }
});

test('a state that nobody has heard of is UNKNOWN', () => {
  assert.deepEqual([0, 1, 2, 3, 4, -1].map(ublkStateName), [
    'DEAD',
    'LIVE',
    'QUIESCED',
    'FAIL_IO',
    'UNKNOWN',
    'UNKNOWN',
  ]);
});

test('op and flags come apart with the top bit set', () => {
  assert.equal(ublksrv_get_op(0xff000003 | 0), 3);
  assert.equal(ublksrv_get_flags(0xff000003 | 0), 0xff0000);
});

test('a shared-memory address splits into its index and its offset, whatever the words sign', () => {
  fc.assert(
    fc.property(u16, u32, (index, offset) => {
      const addr = ublk_shmem_zc_addr(index, offset);
      const [lo, hi] = words(addr);
      assert.equal(ublk_shmem_zc_index(hi), index);
      assert.equal(ublk_shmem_zc_offset(lo), offset);
    }),
  );
});

test('automatic registration travels in the low word of the address', () => {
  assert.equal(ublk_auto_buf_reg_to_sqe_addr(0x1234, 1), 0x11234);
  fc.assert(
    fc.property(u16, fc.nat(0xff), (index, flags) => {
      const lo = ublk_auto_buf_reg_to_sqe_addr(index, flags);
      assert.deepEqual(ublk_sqe_addr_to_auto_buf_reg(lo), { index, flags });
    }),
  );
});

test('a user-copy position names one byte of one request, as a bigint and as two words', () => {
  const positions = fc.record(
    { q_id: fc.nat(4095), tag: u16, offset: fc.nat(2 ** 25 - 1), integrity: fc.boolean() },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(positions, (position) => {
      const { q_id, tag, offset, integrity } = position;
      const packed = (BigInt(q_id) << 41n) | (BigInt(tag) << 25n) | BigInt(offset);
      const expected = (0x80000000n + packed) | (integrity ? 1n << 62n : 0n);
      assert.equal(encodeUserCopyPosition(position), expected);
      assert.deepEqual(decodeUserCopyPosition(expected), position);
      const lo = BigInt(userCopyPositionLo(tag, offset));
      const hi = BigInt(userCopyPositionHi(q_id, tag, offset, integrity));
      assert.equal((hi << 32n) | lo, expected);
    }),
  );
});

test('a position outside of all requests is refused', () => {
  assert.throws(() => decodeUserCopyPosition(0x7fffffffn), RangeError);
  assert.throws(() => decodeUserCopyPosition(0x80000000n + (1n << 53n)), RangeError);
  assert.throws(() => decodeUserCopyPosition(-1n), RangeError);
});

test('a batch element has room for the optional fields that the flags announce', () => {
  assert.deepEqual([0, 1, 2, 3].map(ublkElemBytes), [8, 16, 16, 24]);
});

function words(value: bigint): [number, number] {
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}
