/** A block device is opened for I/O from shared memory: what is not there is a UblkError. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDevice } from '../../src/client/device.ts';

test('a device that is not there is an error of the library, by its kind, and so is a name that names none', async () => {
  const missing = { name: 'UblkError', kind: 'no-device', code: 'ENOENT', device: 1_048_575 };
  await assert.rejects(openDevice('ublkb1048575'), missing);
  await assert.rejects(openDevice('/dev/null'), { name: 'UblkError', kind: 'usage' });
});
