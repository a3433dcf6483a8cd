/** The driver's refusals begin with a plain sentence; the driver's own names stand behind it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandFailure, openFailure } from '../../src/control/failures.ts';
import { ERRNO } from '../../src/native/uapi/errno.ts';

test('a known refusal is a sentence about the device', () => {
  const { message, kind, command, device, code } = commandFailure('GET_DEV_INFO', 0, -ERRNO.ENODEV);
  assert.equal(message, 'there is no device 0 (GET_DEV_INFO, ENODEV)');
  assert.deepEqual(
    { kind, command, device, code },
    { kind: 'no-device', command: 'GET_DEV_INFO', device: 0, code: 'ENODEV' },
  );
});

test('any other refusal says what was asked for, and the errno in words', () => {
  assert.equal(
    commandFailure('START_DEV', 2, -ERRNO.EINVAL).message,
    'cannot start device 2: Invalid argument (START_DEV, EINVAL)',
  );
  assert.match(
    commandFailure('GET_FEATURES', -1, -ERRNO.EOPNOTSUPP).message,
    /^cannot read the features of the driver: /,
  );
  assert.match(commandFailure('ADD_DEV', -1, -ERRNO.ENOMEM).message, /^cannot add a device: .* \(ADD_DEV, ENOMEM\)$/);
});

test('an id that is taken is filled in', () => {
  const { message, hint } = commandFailure('ADD_DEV', 7, -ERRNO.EEXIST);
  assert.equal(message, 'device 7 exists already: the id is taken (ADD_DEV, EEXIST)');
  assert.match(hint ?? '', /`ublkts del -n 7`/);
});

test('no hint about recovery proposes to delete a device', () => {
  for (const [command, errno] of [
    ['START_USER_RECOVERY', ERRNO.EINVAL],
    ['QUIESCE_DEV', ERRNO.EOPNOTSUPP],
  ] as const) {
    const { message, hint } = commandFailure(command, 0, -errno);
    assert.match(message, /^device 0 was made without recovery/);
    assert.doesNotMatch(hint ?? '', /delete|del /);
  }
});

test('a command that io_uring has cancelled names the limits of threads', () => {
  assert.match(commandFailure('SET_PARAMS', 0, -ERRNO.ECANCELED).hint ?? '', /pids\.max/);
});

test('root of a container that may not open the control device is not told to be root', (t) => {
  const hintFor = (uid: number) => {
    t.mock.method(process as { geteuid: () => number }, 'geteuid', () => uid);
    const { kind, hint } = openFailure('/dev/ublk-control', { code: 'EPERM' });
    assert.equal(kind, 'permission');
    return hint ?? '';
  };
  assert.match(hintFor(0), /^a container .* --device=\/dev\/ublk-control/);
  assert.match(hintFor(1000), /^run as root, or .* udev rule$/);
});
