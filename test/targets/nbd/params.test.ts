import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode, encode } from '../../../src/native/uapi/codec.ts';
import {
  UBLK_ATTR_FUA,
  UBLK_ATTR_READ_ONLY,
  UBLK_ATTR_ROTATIONAL,
  UBLK_ATTR_VOLATILE_CACHE,
  ublk_params,
} from '../../../src/native/uapi/ublk-params.ts';
import { exportAsMade } from '../../../src/targets/nbd/connection/as-made.ts';
import { differenceOf } from '../../../src/targets/nbd/connection/difference.ts';
import type { NbdExport } from '../../../src/targets/nbd/handshake/export.ts';
import { parseNbdOptions, recordedNbdOptions } from '../../../src/targets/nbd/options.ts';
import { largestOf, nbdNotes, nbdParams } from '../../../src/targets/nbd/params.ts';
import {
  NBD_FLAG_CAN_MULTI_CONN,
  NBD_FLAG_READ_ONLY,
  NBD_FLAG_ROTATIONAL,
  NBD_FLAG_SEND_FLUSH,
  NBD_FLAG_SEND_FUA,
  NBD_FLAG_SEND_TRIM,
  NBD_FLAG_SEND_WRITE_ZEROES,
} from '../../../src/targets/nbd/protocol/numbers.ts';

const REQUEST = { maxIoBufBytes: 1 << 20 };
const EXPORT: NbdExport = { name: '', description: null, bytes: 1 << 20, flags: 0, blockSizes: null };
const NEEDS = { largest: 1 << 20, connections: 1 };
const ALL = NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA | NBD_FLAG_SEND_TRIM | NBD_FLAG_SEND_WRITE_ZEROES;

describe('the device of an export', () => {
  test('has whole blocks, and its notes say what is left out', () => {
    const odd = { ...EXPORT, bytes: 1000 };
    assert.equal(nbdParams(odd, REQUEST).basic?.dev_sectors, 1);
    assert.match(nbdNotes(odd)[0] ?? '', /has 1000 bytes, .* blocks of 512: the last 488 bytes are left out/);
    assert.deepEqual(nbdNotes(EXPORT), []);
  });

  test('has the blocks of the export: minimum, preferred and maximum', () => {
    const blockSizes = { minimum: 4096, preferred: 65_536, maximum: 300_000 };
    const { basic } = nbdParams({ ...EXPORT, bytes: 10_000, blockSizes: { ...blockSizes, maximum: 299_008 } }, REQUEST);
    assert.deepEqual(basic, {
      attrs: 0,
      logical_bs_shift: 12,
      physical_bs_shift: 12,
      io_opt_shift: 16,
      io_min_shift: 12,
      max_sectors: 299_008 / 512,
      dev_sectors: 16,
    });
  });

  test('has no larger optimal size than the driver takes', () => {
    const blockSizes = { minimum: 4096, preferred: 2 ** 31, maximum: 0xffff_ffff };
    assert.equal(nbdParams({ ...EXPORT, blockSizes }, REQUEST).basic?.io_opt_shift, 28);
  });

  test('has blocks of 512 bytes where the server says nothing, or less', () => {
    const blockSizes = { minimum: 1, preferred: 4096, maximum: 0xffff_ffff };
    for (const sizes of [null, blockSizes]) {
      const { basic } = nbdParams({ ...EXPORT, blockSizes: sizes }, REQUEST);
      assert.equal(basic?.logical_bs_shift, 9);
      assert.equal(basic?.max_sectors, 2048);
    }
  });

  for (const [what, flags, attrs] of [
    ['a cache and FUA', NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA, UBLK_ATTR_VOLATILE_CACHE | UBLK_ATTR_FUA],
    ['a cache', NBD_FLAG_SEND_FLUSH, UBLK_ATTR_VOLATILE_CACHE],
    ['no FUA without a cache, where the driver would not send it', NBD_FLAG_SEND_FUA, 0],
    ['what else there is', NBD_FLAG_READ_ONLY | NBD_FLAG_ROTATIONAL, UBLK_ATTR_READ_ONLY | UBLK_ATTR_ROTATIONAL],
  ] as const) {
    test(`has ${what}`, () => assert.equal(nbdParams({ ...EXPORT, flags }, REQUEST).basic?.attrs, attrs));
  }

  test('clears what the server can clear, and nothing of a read-only one', () => {
    assert.equal(nbdParams({ ...EXPORT, flags: ALL }, REQUEST).discard?.max_discard_sectors, 2 ** 22 - 1);
    const trims = nbdParams({ ...EXPORT, flags: NBD_FLAG_SEND_TRIM }, REQUEST).discard;
    assert.equal(trims?.max_write_zeroes_sectors, 0);
    assert.equal(nbdParams({ ...EXPORT, flags: ALL | NBD_FLAG_READ_ONLY }, REQUEST).discard, undefined);
  });

  for (const [bytes, blockSizes, why] of [
    [0, null, /has 0 bytes/],
    [511, null, /less than a block of 512/],
    [1 << 20, { minimum: 8192, preferred: 8192, maximum: 8192 }, /larger than a page/],
    [1 << 20, { minimum: 1, preferred: 1, maximum: 100 }, /at most 100 bytes/],
    [1 << 20, { minimum: 512, preferred: 4096, maximum: 2048 }, /at most 2048 bytes at once, less than a page/],
  ] as const) {
    test(`is refused for ${bytes} bytes and blocks of ${blockSizes?.minimum ?? 'any size'}`, () => {
      assert.throws(() => nbdParams({ ...EXPORT, bytes, blockSizes }, REQUEST), why);
    });
  }
});

describe('a server that is back', () => {
  test('needs CAN_MULTI_CONN only for a device with several connections', () => {
    const flags = ALL | NBD_FLAG_CAN_MULTI_CONN;
    const [before, now] = [
      { ...EXPORT, flags },
      { ...EXPORT, flags: ALL },
    ];
    assert.equal(differenceOf(before, now, NEEDS), null);
    assert.match(differenceOf(before, now, { ...NEEDS, connections: 2 }) ?? '', /it lacks CAN_MULTI_CONN/);
  });

  test('may take less at once than before, if it takes the largest request of the device', () => {
    const before = { ...EXPORT, blockSizes: { minimum: 512, preferred: 4096, maximum: 0xffff_ffff } };
    const now = { ...EXPORT, blockSizes: { minimum: 512, preferred: 4096, maximum: NEEDS.largest } };
    assert.equal(differenceOf(before, now, NEEDS), null);
    assert.match(differenceOf(before, now, { ...NEEDS, largest: 4 << 20 }) ?? '', /at most 1048576 bytes at once/);
  });

  for (const [what, now, why] of [
    ['smaller', { bytes: 512 }, /has 512 bytes, and the device has 1048576/],
    ['read-only', { flags: ALL | NBD_FLAG_READ_ONLY }, /read-only/],
    ['without flush', { flags: ALL & ~NBD_FLAG_SEND_FLUSH }, /it lacks SEND_FLUSH$/],
    ['with larger blocks', { blockSizes: { minimum: 4096, preferred: 4096, maximum: 1 << 30 } }, /blocks have 4096/],
    ['with smaller requests', { blockSizes: { minimum: 512, preferred: 4096, maximum: 65_536 } }, /at most 65536/],
  ] as const) {
    test(`${what} is another one`, () => {
      assert.match(differenceOf({ ...EXPORT, flags: ALL }, { ...EXPORT, flags: ALL, ...now }, NEEDS) ?? '', why);
    });
  }

  for (const [what, made] of [
    ['without discards and zeroes', { flags: NBD_FLAG_SEND_FLUSH }],
    ['read-only', { flags: ALL | NBD_FLAG_READ_ONLY }],
    ['with larger blocks', { flags: ALL, blockSizes: { minimum: 4096, preferred: 4096, maximum: 1 << 30 } }],
    ['with smaller requests', { flags: ALL, blockSizes: { minimum: 512, preferred: 4096, maximum: 65_536 } }],
  ] as const) {
    test(`${what} is still that of a device that was made of it, when another one has recovered the device`, () => {
      const old = { ...EXPORT, ...made };
      const kept = decode(ublk_params, encode(ublk_params, nbdParams(old, REQUEST)));
      const recovered = { ...EXPORT, flags: ALL };
      assert.equal(differenceOf(exportAsMade(recovered, kept), old, { ...NEEDS, largest: largestOf(kept) }), null);
      assert.notEqual(differenceOf(recovered, old, NEEDS), null);
    });
  }

  test('with a cache that the device does not know of is another one', () => {
    const before = { ...EXPORT, flags: ALL & ~NBD_FLAG_SEND_FLUSH & ~NBD_FLAG_SEND_FUA };
    assert.match(differenceOf(before, { ...EXPORT, flags: ALL }, NEEDS) ?? '', /has a cache now/);
  });

  for (const now of [{}, { bytes: 1 << 21 }, { flags: ALL | NBD_FLAG_ROTATIONAL }]) {
    test(`with ${JSON.stringify(now)} is the same one`, () => {
      assert.equal(differenceOf({ ...EXPORT, flags: ALL }, { ...EXPORT, flags: ALL, ...now }, NEEDS), null);
    });
  }
});

describe('the options of nbd', () => {
  test('are recorded so that they mean the same in every directory', () => {
    const uri = 'nbd+unix:///?socket=a';
    assert.deepEqual(recordedNbdOptions({ uri }), { uri: `nbd+unix:///?socket=${process.cwd()}/a` });
  });

  for (const [options, why] of [
    [{}, /needs `targetOptions.uri`/],
    [{ uri: 'nbd://h', reconnect_delay: '-1' }, /not a number of seconds/],
    [{ uri: 'nbd://h', reconnect_delay: '3000000' }, /not a number of seconds/],
    [{ uri: 'nbd://h', structured_replies: 'maybe' }, /neither yes nor no/],
  ] as const) {
    test(`${JSON.stringify(options)} are refused`, () => assert.throws(() => parseNbdOptions(options), why));
  }
});
