import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  UBLK_ATTR_FUA,
  UBLK_ATTR_READ_ONLY,
  UBLK_ATTR_VOLATILE_CACHE,
  UBLK_PARAM_TYPE_BASIC,
  UBLK_PARAM_TYPE_DISCARD,
  UBLK_PARAM_TYPE_DMA_ALIGN,
  UBLK_PARAM_TYPE_INTEGRITY,
} from '../../src/native/uapi/ublk-params.ts';
import { UBLK_IO_F_NOUNMAP, UBLK_IO_OP_DISCARD, UBLK_IO_OP_WRITE_ZEROES } from '../../src/native/uapi/ublk-io.ts';
import type { IntegrityOptions } from '../../src/spec/options.ts';
import { parseFaults } from '../../src/targets/fault-inject/options.ts';
import { commonHoles, holeMode, NO_HOLES, secondMode } from '../../src/targets/holes.ts';
import { loopParams, loopSectors } from '../../src/targets/loop/params.ts';
import { unusedEnd } from '../../src/targets/unused-end.ts';
import { chunkSizeOf } from '../../src/targets/stripe/options.ts';
import { bytesPerFile, stripeParams } from '../../src/targets/stripe/params.ts';

const INTEGRITY: IntegrityOptions = {
  metadataSize: 8,
  capable: false,
  reftag: false,
  piOffset: 0,
  csumType: 'none',
  tagSize: 0,
};
const REQUEST = { maxIoBufBytes: 1 << 20, integrity: null };
const ALIGNED = { blockShift: 9, memory: 1 };
const HOLES = { punches: true, zeroes: true, allocates: true, granularity: 4096 };

function of(delay_us: string) {
  return parseFaults({ delay_us });
}

function file(path: string, bytes: number) {
  return { path, bytes, alignment: ALIGNED, readOnly: false, holes: HOLES };
}

describe('loop', () => {
  test('has kublk limits, and FUA and holes on top', () => {
    const params = loopParams(REQUEST, file('/a', 1 << 20), 2048);
    assert.deepEqual(params, {
      types: UBLK_PARAM_TYPE_BASIC | UBLK_PARAM_TYPE_DMA_ALIGN | UBLK_PARAM_TYPE_DISCARD,
      basic: {
        attrs: UBLK_ATTR_VOLATILE_CACHE | UBLK_ATTR_FUA,
        logical_bs_shift: 9,
        physical_bs_shift: 12,
        io_opt_shift: 12,
        io_min_shift: 9,
        max_sectors: 2048,
        dev_sectors: 2048,
      },
      dma: { alignment: 511 },
      discard: {
        discard_granularity: 4096,
        max_discard_sectors: 4194296,
        max_write_zeroes_sectors: 4194296,
        max_discard_segments: 1,
      },
    });
  });

  test('a backing device of 4096-byte sectors makes one of 4096-byte blocks', () => {
    const data = { ...file('/a', (1 << 20) + 512), alignment: { blockShift: 12, memory: 4096 } };
    assert.equal(loopSectors(data, undefined, null), 2048);
    const { basic, dma } = loopParams(REQUEST, data, 2048);
    assert.equal(basic?.logical_bs_shift, 12);
    assert.equal(dma?.alignment, 4095);
  });

  test('a file that cannot be written makes a read-only device', () => {
    const params = loopParams(REQUEST, { ...file('/a', 1 << 20), readOnly: true, holes: NO_HOLES }, 2048);
    assert.equal((params.basic?.attrs ?? 0) & UBLK_ATTR_READ_ONLY, UBLK_ATTR_READ_ONLY);
    assert.equal((params.types ?? 0) & UBLK_PARAM_TYPE_DISCARD, 0);
  });

  test('with integrity the smaller file decides, and neither FUA nor holes are offered', () => {
    const metadata = file('/m', 800);
    assert.equal(loopSectors(file('/a', 1 << 20), metadata, INTEGRITY), 100);
    const params = loopParams({ ...REQUEST, integrity: INTEGRITY }, file('/a', 1 << 20), 100);
    assert.equal(params.types, UBLK_PARAM_TYPE_BASIC | UBLK_PARAM_TYPE_DMA_ALIGN | UBLK_PARAM_TYPE_INTEGRITY);
    assert.equal(params.basic?.attrs, UBLK_ATTR_VOLATILE_CACHE);
    assert.throws(() => loopSectors(file('/a', 1 << 20), file('/m', 7), INTEGRITY), /\/m: there is no room/);
  });
});

test('what does not fill a block or a chunk is left out, and said', () => {
  assert.deepEqual(unusedEnd('/a', 1024, 'blocks', 512), []);
  assert.deepEqual(unusedEnd('/a', 1089, 'blocks', 512), [
    '/a has 1089 bytes, and the device whole blocks of 512: the last 65 bytes are left out',
  ]);
});

describe('stripe', () => {
  test('is as large as all its files in whole chunks', () => {
    const files = [file('/a', (1 << 20) + 5000), file('/b', (1 << 20) + 60_000)];
    assert.equal(bytesPerFile(files, 65536), 1 << 20);
    assert.equal(stripeParams(REQUEST, files, 65536).basic?.dev_sectors, 4096);
  });

  test('refuses files of different sizes and names both', () => {
    const files = [file('/a', 1 << 20), file('/b', 2 << 20)];
    assert.throws(() => bytesPerFile(files, 65536), /same size: \/a holds 16 chunks of 65536 bytes, and \/b holds 32/);
    assert.throws(() => bytesPerFile([file('/a', 5000)], 65536), /smaller than one chunk/);
  });

  test('says nothing of memory alignment where the files want none, as kublk', () => {
    assert.equal(stripeParams(REQUEST, [file('/a', 1 << 20)], 65536).dma, undefined);
    const strict = { ...file('/a', 1 << 20), alignment: { blockShift: 9, memory: 512 } };
    assert.equal(stripeParams(REQUEST, [file('/b', 1 << 20), strict], 65536).dma?.alignment, 511);
  });

  test('takes chunk sizes as people write them', () => {
    assert.equal(chunkSizeOf({}), 65536);
    assert.equal(chunkSizeOf({ chunk_size: '64k' }), 65536);
    for (const possible of [4096, 524288]) assert.equal(chunkSizeOf({ chunk_size: `${possible}` }), possible);
    for (const other of [2048, 1 << 20]) assert.throws(() => chunkSizeOf({ chunk_size: `${other}` }), /out of range/);
    for (const odd of [65536 + 4096, 0]) assert.throws(() => chunkSizeOf({ chunk_size: `${odd}` }), /power of 2/);
    assert.throws(() => chunkSizeOf({ chunk_size: 'big' }), /`targetOptions.chunk_size` "big" is not a size/);
  });
});

describe('holes', () => {
  const KEEP_SIZE = 0x1;
  const PUNCH = 0x3;
  const ZERO = 0x11;
  const NOUNMAP = UBLK_IO_OP_WRITE_ZEROES | UBLK_IO_F_NOUNMAP;

  test('zeroes may be a hole, unless their space must stay allocated', () => {
    assert.equal(holeMode(HOLES, UBLK_IO_OP_DISCARD, UBLK_IO_OP_DISCARD), PUNCH);
    assert.equal(holeMode(HOLES, UBLK_IO_OP_WRITE_ZEROES, UBLK_IO_OP_WRITE_ZEROES), PUNCH);
    assert.equal(holeMode(HOLES, UBLK_IO_OP_WRITE_ZEROES, NOUNMAP), ZERO);
    assert.equal(secondMode(HOLES, UBLK_IO_OP_WRITE_ZEROES, NOUNMAP), 0);
  });

  test('a hole is filled again where nothing else makes allocated zeroes', () => {
    const tmpfs = { ...HOLES, zeroes: false };
    assert.equal(holeMode(tmpfs, UBLK_IO_OP_WRITE_ZEROES, NOUNMAP), PUNCH);
    assert.equal(secondMode(tmpfs, UBLK_IO_OP_WRITE_ZEROES, NOUNMAP), KEEP_SIZE);
    assert.equal(secondMode(tmpfs, UBLK_IO_OP_WRITE_ZEROES, UBLK_IO_OP_WRITE_ZEROES), 0);
    assert.equal(secondMode(tmpfs, UBLK_IO_OP_DISCARD, UBLK_IO_OP_DISCARD), 0);
  });

  test('a device that only zeroes is no device that discards', () => {
    const zeroes = { punches: false, zeroes: true, allocates: false, granularity: 512 };
    assert.equal(holeMode(zeroes, UBLK_IO_OP_DISCARD, UBLK_IO_OP_DISCARD), 0);
    assert.equal(holeMode(zeroes, UBLK_IO_OP_WRITE_ZEROES, UBLK_IO_OP_WRITE_ZEROES), ZERO);
    const { discard } = loopParams(REQUEST, { ...file('/a', 1 << 20), holes: zeroes }, 2048);
    assert.equal(discard?.max_discard_sectors, 0);
    assert.equal(discard?.max_write_zeroes_sectors, 4194303);
  });

  test('what one of several files cannot, none does', () => {
    const common = commonHoles([HOLES, NO_HOLES]);
    assert.deepEqual(common, { punches: false, zeroes: false, allocates: false, granularity: 4096 });
  });

  test('zeroes are not offered where their space could not be kept', () => {
    const ext2 = { ...HOLES, zeroes: false, allocates: false };
    const { discard } = loopParams(REQUEST, { ...file('/a', 1 << 20), holes: ext2 }, 2048);
    assert.equal(discard?.max_write_zeroes_sectors, 0);
    assert.equal(discard?.max_discard_sectors, 4194296);
  });
});

describe('fault_inject', () => {
  test('a delay is a valid timespec, whatever its length', () => {
    assert.deepEqual(of('999999'), { seconds: 0n, nanoseconds: 999_999_000n, dieDuringFetch: false });
    assert.deepEqual(of('2000000'), { seconds: 2n, nanoseconds: 0n, dieDuringFetch: false });
    assert.deepEqual(of('9223372036854775'), { seconds: 9223372036n, nanoseconds: 854775000n, dieDuringFetch: false });
    assert.throws(() => of('9223372036854776'), {
      message: "`targetOptions.delay_us` 9223372036854776 is larger than the kernel's limit of 9223372036854775",
    });
    assert.throws(() => of('1s'), { message: '`targetOptions.delay_us` 1s is not a whole number of microseconds' });
    assert.throws(() => parseFaults({ die_during_fetch: '2' }), {
      message: '`targetOptions.die_during_fetch` 2 is neither 0 nor 1',
    });
  });
});
