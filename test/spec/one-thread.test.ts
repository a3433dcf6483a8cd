/** A target whose handlers share variables is served by one thread, however many queues its device has. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DeviceSpec } from '../../src/spec/device-spec.ts';
import { type Feature, FeatureSet } from '../../src/spec/features.ts';
import { ADD_DEFAULTS, type AddOptions } from '../../src/spec/options.ts';
import { resolve } from '../../src/spec/resolve.ts';
import { nullTarget } from '../../src/targets/null/index.ts';

const OLD_DRIVER = FeatureSet.all.without('PER_IO_DAEMON', 'BATCH_IO');

function made(
  changes: Partial<AddOptions>,
  driver = FeatureSet.all,
): Pick<DeviceSpec, 'queues' | 'threads' | 'perIoTasks'> {
  const target = { ...nullTarget, prefers: [], oneThread: { because: 'it says so', otherwise: 'ask it' } };
  const { queues, threads, perIoTasks } = resolve({ ...ADD_DEFAULTS, target: 'null', ...changes }, target, driver);
  return { queues, threads, perIoTasks };
}

describe('a target of one thread', () => {
  for (const [what, changes] of [
    ['as it comes', {}],
    ['when one is asked for', { threads: 1 }],
  ] as const) {
    test(`takes the tags of all queues one by one ${what}`, () => {
      assert.deepEqual(made({ ...changes, queues: 4 }), { queues: 4, threads: 1, perIoTasks: true });
    });
  }

  test('takes them in batches', () => {
    const features: Feature[] = ['BATCH_IO'];
    assert.deepEqual(made({ queues: 4, features }), { queues: 4, threads: 1, perIoTasks: false });
  });

  test('has one queue where the driver can do neither', () => {
    assert.deepEqual(made({ queues: 4 }, OLD_DRIVER), { queues: 1, threads: 1, perIoTasks: false });
  });

  test('is refused more, with the way to have them', () => {
    assert.throws(() => made({ queues: 4, threads: 4 }), /is served by one thread, not by 4/);
    assert.throws(() => made({ queues: 4, threads: 2 }), /is served by one thread, not by 2/);
  });
});
