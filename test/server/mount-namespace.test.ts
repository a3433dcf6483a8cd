import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unneededMounts } from '../../src/server/mount-namespace.ts';

const POINTS = [
  '/',
  '/dev',
  '/dev/shm',
  '/proc',
  '/sys',
  '/sys/fs/cgroup',
  '/run',
  '/run/user/0',
  '/usr',
  '/home',
  '/mnt',
];

describe('the mounts that a server lets go of', () => {
  test('are all but the root, the kernel folders, and what holds its code and records', () => {
    const needed = ['/home/me/ublkts', '/run/ublkts', '/usr/bin/node'];
    assert.deepEqual(unneededMounts(POINTS, needed), ['/run/user/0', '/mnt']);
    assert.deepEqual(unneededMounts(POINTS, ['/opt/ublkts']), ['/run', '/run/user/0', '/usr', '/home', '/mnt']);
  });

  test('a name that only begins alike is another folder', () => {
    assert.deepEqual(unneededMounts(['/', '/dev', '/developers', '/usr', '/usr2'], ['/usr/bin/node']), [
      '/developers',
      '/usr2',
    ]);
  });
});
