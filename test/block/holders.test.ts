/** Who uses a device, out of the files of /proc. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSwaps } from '../../src/block/claims.ts';
import { describeHolders, type Holder, releaseCommand } from '../../src/block/holder.ts';
import { deviceOfMountOf, type Mount, parseMountInfo } from '../../src/block/mounts.ts';

test('a mount has the number of its file system, and blanks in its path', () => {
  const text = [
    '36 35 259:3 / /mnt/my\\040disk rw,noatime shared:1 - ext4 /dev/ublkb0 rw',
    '40 35 0:52 /sub /data rw - btrfs /dev/ublkb1 rw,subvol=/sub',
    '',
  ].join('\n');
  assert.deepEqual(parseMountInfo(text), [
    { device: '259:3', path: '/mnt/my disk', fileSystem: 'ext4', source: '/dev/ublkb0' },
    { device: '0:52', path: '/data', fileSystem: 'btrfs', source: '/dev/ublkb1' },
  ]);
});

function mount(device: string, path: string, source = '/dev/x'): Mount {
  return { device, path, fileSystem: 'ext4', source };
}

test('the text of a path tells its mount: the deepest one, and of those on one directory the last', () => {
  const mounts = [mount('8:1', '/'), mount('8:2', '/mnt'), mount('8:3', '/mnt/a'), mount('8:4', '/mnt')];
  const found = ['/img', '/mnt', '/mnt/b', '/mnt/a/img', '/mnt/ab'].map((path) => deviceOfMountOf(path, mounts));
  assert.deepEqual(found, ['8:1', '8:4', '8:4', '8:3', '8:4']);
  assert.equal(deviceOfMountOf('/img', []), null);
  assert.equal(deviceOfMountOf('/img', [mount('0:30', '/', 'tmpfs')]), null);
});

test('swap areas are the first column below the headings', () => {
  const text =
    'Filename\t\t\tType\t\tSize\tUsed\tPriority\n/dev/ublkb2                             partition\t65532\t0\t-2\n';
  assert.deepEqual(parseSwaps(text), ['/dev/ublkb2']);
});

test('holders are named, each with the command that ends it', () => {
  const holders: Holder[] = [
    { kind: 'mount', path: '/mnt', fileSystem: 'ext4', pid: 1 },
    { kind: 'swap', path: '/dev/ublkb0p2' },
    { kind: 'device', name: 'dm-0', label: 'vg-lv' },
    { kind: 'device', name: 'ublkb12', label: 'loop' },
    { kind: 'process', pid: 12, command: 'sleep' },
  ];
  assert.equal(
    describeHolders(holders),
    'mounted at /mnt (ext4), used as swap (/dev/ublkb0p2), part of dm-0 (vg-lv), part of ublkb12 (loop), open in process 12 (sleep)',
  );
  assert.deepEqual(holders.map(releaseCommand), [
    'umount /mnt',
    'swapoff /dev/ublkb0p2',
    'dmsetup remove vg-lv',
    'ublkts del -n 12',
    'kill 12',
  ]);
});
