import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keptNote, type MadeDevice } from '../../src/device/recover/kept-options.ts';
import { FeatureSet } from '../../src/spec/features.ts';
import { ADD_DEFAULTS } from '../../src/spec/options.ts';

const COUNTS = { queues: 2, depth: 128, maxIoBufBytes: 1 << 20 };

/** A device that was made with `-q 4 -r 1 --auto_zc` where there are two CPUs. */
const MADE: MadeDevice = {
  features: FeatureSet.of('USER_RECOVERY', 'AUTO_BUF_REG'),
  counts: COUNTS,
  options: { ...ADD_DEFAULTS, target: 'loop', queues: 4, features: ['USER_RECOVERY', 'AUTO_BUF_REG'] },
};

describe('recover with options that the device cannot take any more', () => {
  test('says nothing when the command line of add is repeated, whole or in part', () => {
    assert.equal(keptNote({}, MADE), null);
    assert.equal(keptNote({ queues: 4, features: ['USER_RECOVERY', 'AUTO_BUF_REG'] }, MADE), null);
    assert.equal(keptNote({ queues: 2, dataPath: 'auto_zc' }, MADE), null);
  });

  test('names the data path, the features and the numbers that stay', () => {
    assert.equal(
      keptNote({ dataPath: 'copy', features: ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'], queues: 8, depth: 64 }, MADE),
      'a device keeps what it was made with: data path auto_zc, not copy; no UBLK_F_USER_RECOVERY_REISSUE; ' +
        '2 queues, not 8; 128 requests per queue, not 64',
    );
    assert.match(
      keptNote({ features: ['BATCH_IO'], dataPath: 'auto_zc' }, MADE) ?? '',
      /not batch\+auto_zc; no UBLK_F_BATCH_IO$/,
    );
  });

  test('knows that the driver has no get_data in batches', () => {
    const batch: MadeDevice = { features: FeatureSet.of('BATCH_IO', 'USER_RECOVERY'), counts: COUNTS, options: null };
    assert.equal(keptNote({ dataPath: 'get_data', features: ['BATCH_IO'] }, batch), null);
  });

  test('says nothing about the numbers of a device whose options nobody knows', () => {
    assert.equal(keptNote({ queues: 8 }, { ...MADE, options: null }), null);
  });

  test('refuses a data path that does not exist', () => {
    assert.throws(() => keptNote({ dataPath: 'nope' }, MADE), /is not the name of a data path/);
  });
});
