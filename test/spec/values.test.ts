/** Values that no compiler has looked at: each is refused by its option's name, before anything is made. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requireDeviceId } from '../../src/control/device-id.ts';
import { UblkError } from '../../src/errors.ts';
import { checkGivenValues, checkValues } from '../../src/spec/checks/values.ts';
import { ADD_DEFAULTS, type AddOptions } from '../../src/spec/options.ts';

const INTEGRITY = {
  metadataSize: 8,
  capable: true,
  reftag: false,
  piOffset: 0,
  csumType: 't10dif',
  tagSize: 0,
} as const;
const GOOD: AddOptions = { ...ADD_DEFAULTS, target: 'null' };

describe('the options of a device', () => {
  test('that are the defaults, or what they may be besides, are taken', () => {
    checkValues(GOOD);
    checkValues({ ...GOOD, id: 1_048_575, dataPath: 'copy', server: 'main', files: ['/srv/a.img'], cpus: [0] });
    checkValues({ ...GOOD, integrity: INTEGRITY, buffers: [{ path: '/dev/shm/a', readOnly: false }] });
    checkGivenValues({ dataPath: undefined as unknown as string });
  });

  test('that there are not are refused: a misspelt one would do nothing', () => {
    const misspelt = { ...GOOD, dataPaths: 'copy' } as AddOptions;
    const isRefused = { kind: 'usage', message: 'a device has no option dataPaths' };
    assert.throws(() => checkValues(misspelt), isRefused);
    assert.throws(() => checkGivenValues({ toString: 5 } as unknown as AddOptions), { kind: 'usage' });
    checkGivenValues({ dataPaths: undefined } as unknown as AddOptions);
  });

  for (const [name, values] of Object.entries({
    target: [undefined, null, 5],
    files: [null, '/srv/a.img', [5], Object.assign([], { length: 1 })],
    targetOptions: [null, 'size=1G', { size: 5 }, ['size']],
    id: [-2, 1.5, Number.NaN, '1', 1_048_576],
    queues: ['2', null],
    features: ['SHMEM_ZC', null],
    dataPath: [5],
    cpus: ['0-3', ['0']],
    buffers: [null, ['/dev/shm/a'], [{}], [{ path: 'a', readOnly: true }], [{ path: '/dev/shm/a' }]],
    integrity: [5, {}, { ...INTEGRITY, csumType: 'crc32' }, { ...INTEGRITY, metadatasize: 8 }],
    server: [5],
    debugMask: [-1, 1.5, 'x'],
    mlock: ['yes', 1],
  })) {
    test(`are refused when ${name} is of another kind`, () => {
      for (const value of values) {
        const wrong = { ...GOOD, [name]: value } as AddOptions;
        const isRefused = (error: unknown) =>
          error instanceof UblkError && error.kind === 'usage' && error.message.startsWith(`\`${name}\` is `);
        assert.throws(() => checkValues(wrong), isRefused, JSON.stringify(value));
        if (value !== undefined) assert.throws(() => checkGivenValues({ [name]: value }), isRefused);
      }
    });
  }
});

test('an id is a whole number that the driver has a device for; NaN is not device 0', () => {
  for (const id of [0, 7, 1_048_575]) requireDeviceId(id);
  for (const id of [Number.NaN, -1, 1.5, 1_048_576, '0', undefined, null, 0n]) {
    assert.throws(() => requireDeviceId(id), { kind: 'usage', message: /is not the id of a device/ });
  }
});
