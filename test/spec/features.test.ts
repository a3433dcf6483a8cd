import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { FEATURE_NAMES, FeatureSet } from '../../src/spec/features.ts';
import { UBLK_F_BATCH_IO, UBLK_F_SHMEM_ZC } from '../../src/native/uapi/ublk-features.ts';

const sets = fc.subarray([...FEATURE_NAMES]);

describe('a set of features', () => {
  test('is the bits of its names, and the names of its bits', () => {
    assert.equal(FeatureSet.of('SHMEM_ZC', 'BATCH_IO').flags, UBLK_F_SHMEM_ZC | UBLK_F_BATCH_IO);
    fc.assert(fc.property(sets, (names) => assert.deepEqual(FeatureSet.of(...names).names(), names)));
  });

  test('adds and takes away', () => {
    fc.assert(
      fc.property(sets, sets, (left, right) => {
        const both = FeatureSet.of(...left).with(...right);
        assert.ok(both.hasAll(left) && both.hasAll(right));
        for (const name of right) assert.ok(!both.without(...right).has(name));
      }),
    );
  });

  test('keeps the bits of a newer driver, which have no names', () => {
    const set = FeatureSet.fromFlags((1n << 63n) | UBLK_F_SHMEM_ZC);
    assert.deepEqual(set.names(), ['SHMEM_ZC']);
    assert.equal(set.flags >> 63n, 1n);
  });

  test('takes no name that ublk does not know', () => {
    assert.throws(() => FeatureSet.parse(['USER_COPY', 'UBLK_F_SHMEM_ZC']), {
      kind: 'usage',
      message: 'ublk has no feature named "UBLK_F_SHMEM_ZC" (in `features`)',
      hint: /SUPPORT_ZERO_COPY, .*IO_DESC_SIZE/,
    });
  });
});
