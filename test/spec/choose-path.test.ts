import assert from 'node:assert/strict';
import test from 'node:test';
import { dataPathNames, withDataPath } from '../../src/spec/choose-path.ts';
import { flagsOf } from '../../src/device/features.ts';
import { UblkError } from '../../src/errors.ts';
import { ADD_DEFAULTS, type AddOptions } from '../../src/spec/options.ts';
import { loopTarget } from '../../src/targets/loop/index.ts';
import { nullTarget } from '../../src/targets/null/index.ts';

const everything = (1n << 21n) - 1n;

function options(change: Partial<AddOptions> = {}): AddOptions {
  return { ...ADD_DEFAULTS, target: 'loop', ...change };
}

test('loop gets automatic registration when nobody says how data travels', () => {
  assert.deepEqual(withDataPath(options(), loopTarget, everything).features, ['AUTO_BUF_REG']);
});

test('a kernel without the preferred path gets the plain one', () => {
  assert.deepEqual(withDataPath(options(), loopTarget, flagsOf(['USER_COPY'])).features, []);
});

test('null stays plain: its reads are zeroes, which only a copy can promise', () => {
  assert.deepEqual(withDataPath(options({ target: 'null' }), nullTarget, everything).features, []);
});

for (const feature of ['USER_COPY', 'NEED_GET_DATA', 'SUPPORT_ZERO_COPY', 'AUTO_BUF_REG', 'BATCH_IO', 'SHMEM_ZC']) {
  test(`${feature} is a decision: nothing is added to it`, () => {
    assert.deepEqual(withDataPath(options({ features: [feature] }), loopTarget, everything).features, [feature]);
  });
}

test('recovery flags decide nothing about data', () => {
  const chosen = withDataPath(options({ features: ['USER_RECOVERY'] }), loopTarget, everything);
  assert.deepEqual(chosen.features, ['USER_RECOVERY', 'AUTO_BUF_REG']);
});

function featuresOf(dataPath: string): readonly string[] {
  return withDataPath(options({ dataPath }), loopTarget, everything).features;
}

test('a named path is taken, batched or not', () => {
  assert.deepEqual(featuresOf('copy'), []);
  assert.deepEqual(featuresOf('batch+auto_zc'), ['AUTO_BUF_REG', 'BATCH_IO']);
  for (const name of dataPathNames()) assert.doesNotThrow(() => featuresOf(name));
});

test('a named path beside a flag for another, and a name that is none, are refused', () => {
  const clash = options({ dataPath: 'auto_zc', features: ['USER_COPY'] });
  assert.throws(() => withDataPath(clash, loopTarget, everything), UblkError);
  assert.throws(() => withDataPath(options({ dataPath: 'fast' }), loopTarget, everything), UblkError);
});
