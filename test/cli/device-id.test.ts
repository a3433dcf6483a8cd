import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_DEVICE_ID } from '../../src/native/device-ids.ts';
import { parseDeviceId, parseDeviceOrNotSize, parseNewDeviceId } from '../../src/cli/flags/device-id.ts';

test('every way to name a device means its number', () => {
  for (const name of ['7', 'ublkb7', 'ublkc7', '/dev/ublkb7', '/dev/ublkc7']) assert.equal(parseDeviceId(name), 7);
});

test('ids beyond the 255 that kublk reaches are devices', () => assert.equal(parseDeviceId('300'), 300));

test('what is not a device is refused', () => {
  for (const name of ['', '-1', '1.5', '0x1', 'ublkd0', '/dev/sda', 'ublkb', '/tmp/ublkb0', '1e3', ' 1']) {
    assert.throws(() => parseDeviceId(name), { name: 'UblkError', kind: 'usage' }, name);
  }
});

test('an id without a minor number is out of range', () => {
  assert.equal(parseDeviceId(String(MAX_DEVICE_ID)), MAX_DEVICE_ID);
  assert.throws(() => parseDeviceId(String(MAX_DEVICE_ID + 1)), /out of range/);
});

test('-1 leaves the id of a new device to the kernel', () => {
  assert.equal(parseNewDeviceId('-1'), -1);
  assert.equal(parseNewDeviceId('3'), 3);
  assert.throws(() => parseNewDeviceId('-2'), { kind: 'usage' });
});

test('a size where a device belongs gets a hint that names the flag of the size', () => {
  assert.throws(() => parseDeviceOrNotSize('1G'), { hintText: /-s 1G$/ });
  assert.equal(parseDeviceOrNotSize('ublkb2'), 2);
});
