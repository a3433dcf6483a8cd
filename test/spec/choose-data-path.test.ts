import assert from 'node:assert/strict';
import test from 'node:test';
import { UblkError } from '../../src/errors.ts';
import { dataPathNames } from '../../src/spec/data-paths.ts';
import { dataPathNameOf } from '../../src/spec/device-spec.ts';
import { type Feature, FeatureSet } from '../../src/spec/features.ts';
import { ADD_DEFAULTS, type AddOptions } from '../../src/spec/options.ts';
import { decide } from '../../src/spec/decide.ts';
import { loopTarget } from '../../src/targets/loop/index.ts';
import { nullTarget } from '../../src/targets/null/index.ts';

function pathOf(
  change: Partial<AddOptions>,
  target = loopTarget as { prefers: typeof loopTarget.prefers },
  driver = FeatureSet.all,
): string {
  return dataPathNameOf(decide({ ...ADD_DEFAULTS, target: 'loop', ...change }, target, driver));
}

function featuresOf(change: Partial<AddOptions>): readonly Feature[] {
  return decide({ ...ADD_DEFAULTS, target: 'loop', ...change }, loopTarget, FeatureSet.all).features;
}

test('loop gets automatic registration when nobody says how data travels', () => {
  assert.equal(pathOf({}), 'auto_zc');
  assert.deepEqual(featuresOf({}), ['AUTO_BUF_REG']);
});

test('a kernel without the preferred path gets the plain one', () => {
  assert.equal(pathOf({}, loopTarget, FeatureSet.of('USER_COPY')), 'copy');
});

test('null stays plain: its reads are zeroes, which only a copy can promise', () => {
  assert.equal(pathOf({}, nullTarget), 'copy');
});

for (const feature of [
  'USER_COPY',
  'NEED_GET_DATA',
  'SUPPORT_ZERO_COPY',
  'AUTO_BUF_REG',
  'BATCH_IO',
  'SHMEM_ZC',
] as const) {
  test(`${feature} is a decision: nothing is added to it`, () => {
    assert.deepEqual(featuresOf({ features: [feature] }), [feature]);
  });
}

test('recovery flags decide nothing about data', () => {
  assert.deepEqual(featuresOf({ features: ['USER_RECOVERY'] }), ['USER_RECOVERY', 'AUTO_BUF_REG', 'QUIESCE']);
});

test('a named path is taken, batched or not', () => {
  assert.deepEqual(featuresOf({ dataPath: 'copy' }), []);
  assert.deepEqual(featuresOf({ dataPath: 'batch+auto_zc' }), ['AUTO_BUF_REG', 'BATCH_IO']);
  for (const dataPath of dataPathNames()) assert.equal(pathOf({ dataPath }), dataPath);
});

test('get_data has no batch form: in batches the driver copies', () => {
  assert.equal(pathOf({ features: ['NEED_GET_DATA', 'BATCH_IO'] }), 'batch+copy');
  assert.deepEqual(featuresOf({ features: ['NEED_GET_DATA', 'BATCH_IO'] }), ['BATCH_IO']);
  assert.equal(pathOf({ dataPath: 'get_data', features: ['BATCH_IO'] }), 'batch+copy');
});

test('a named path beside a flag for another, and a name that is none, are refused', () => {
  assert.throws(() => pathOf({ dataPath: 'auto_zc', features: ['USER_COPY'] }), UblkError);
  assert.throws(() => pathOf({ dataPath: 'zero_copy', autoZcFallback: true }), UblkError);
  assert.throws(() => pathOf({ dataPath: 'fast' }), {
    kind: 'usage',
    message: '`dataPath` "fast" is not the name of a data path',
    hint: /^the names are copy, get_data, user_copy, .*batch\+auto_zc_fallback$/,
  });
});
