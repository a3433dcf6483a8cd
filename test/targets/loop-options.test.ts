/** Which part of its file a loop device is, and what contradicts the file. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BackingFile } from '../../src/targets/backing-files.ts';
import { BackingCalls } from '../../src/targets/backing-calls.ts';
import { NO_HOLES } from '../../src/targets/holes.ts';
import { parseLoopOptions, partOf, requireWithinLimit } from '../../src/targets/loop/options.ts';

const FILE: BackingFile = {
  path: '/img',
  calls: new BackingCalls('/img', { caller: 'thread' }),
  fd: -1,
  bytes: 1 << 20,
  readOnly: false,
  alignment: { blockShift: 9, memory: 4 },
  holes: { punches: true, zeroes: true, allocates: true, granularity: 4096 },
  notes: [],
};

describe('a loop device', () => {
  test('is the whole file, or a part of it', () => {
    assert.equal(part({}).bytes, 1 << 20);
    assert.equal(part({ offset: '64k' }).bytes, (1 << 20) - 65_536);
    assert.equal(part({ offset: '64k', sizelimit: '8k' }).bytes, 8192);
    assert.equal(part({ logical_block_size: '4096' }).alignment.blockShift, 12);
  });

  test('makes holes where the blocks of the file system are its own', () => {
    assert.equal(part({ offset: '8192' }).holes.punches, true);
    assert.equal(part({ offset: '512' }).holes.punches, false);
    assert.deepEqual(part({ no_discard: '1' }).holes, { ...NO_HOLES, granularity: 4096 });
  });

  test('has switches with the values that every target has', () => {
    for (const value of ['1', 'yes', 'on', 'true']) assert.equal(parseLoopOptions({ read_only: value }).readOnly, true);
    for (const value of ['0', 'no', 'off', 'false'])
      assert.equal(parseLoopOptions({ read_only: value }).readOnly, false);
  });

  for (const [options, message] of [
    [{ offset: '1M' }, /cannot use backing file \/img: `targetOptions.offset` 1048576 is not within its 1048576 bytes/],
    [{ offset: '1000' }, /not a multiple of 512/],
    [{ offset: '512k', sizelimit: '1M' }, /`targetOptions.sizelimit` 1048576 is more than the 524288 bytes/],
    [{ logical_block_size: '8192' }, /8192 is not a block size/],
    [{ read_only: 'perhaps' }, /`targetOptions.read_only` "perhaps" is neither yes nor no/],
  ] as const) {
    test(`is refused in words: ${JSON.stringify(options)}`, () => {
      assert.throws(() => part(options), { name: 'UblkError', message });
    });
  }

  test('cannot become larger than its limit', () => {
    requireWithinLimit(parseLoopOptions({ sizelimit: '64k' }), 65_536);
    requireWithinLimit(parseLoopOptions({}), 1 << 30);
    assert.throws(() => requireWithinLimit(parseLoopOptions({ sizelimit: '64k' }), 65_537), {
      message: /cannot have 65537 bytes: it was made with `targetOptions.sizelimit` 65536/,
    });
  });

  test('cannot have smaller blocks than direct I/O on the file', () => {
    const file = { ...FILE, alignment: { blockShift: 12, memory: 512 } };
    assert.throws(
      () => partOf(file, parseLoopOptions({ offset: '512' })),
      /is not a multiple of its blocks of 4096 bytes/,
    );
    assert.throws(
      () => partOf(file, parseLoopOptions({ logical_block_size: '512' })),
      /smaller than its blocks of 4096/,
    );
  });
});

function part(options: Readonly<Record<string, string>>): BackingFile {
  return partOf(FILE, parseLoopOptions(options));
}
