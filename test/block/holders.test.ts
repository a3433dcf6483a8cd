/** Who uses a device, out of the files of /proc. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSwaps } from '../../src/block/claims.ts';
import { parseLioInfo } from '../../src/block/exports.ts';
import { describeHolders, type Holder, toRelease } from '../../src/block/holder.ts';
import { deviceOfMountOf, type Mount, parseMountInfo } from '../../src/block/mounts.ts';

test('a mount has the number of its file system, and blanks in its path', () => {
  const text = [
    '36 35 259:3 / /mnt/my\\040disk rw,noatime shared:1 - ext4 /dev/ublkb0 rw',
    '40 35 0:52 /sub /data rw - btrfs /dev/ublkb1 rw,subvol=/sub',
    '',
  ].join('\n');
  assert.deepEqual(parseMountInfo(text), [
    {
      id: 36,
      parent: 35,
      device: '259:3',
      path: '/mnt/my disk',
      fileSystem: 'ext4',
      source: '/dev/ublkb0',
      options: 'rw',
    },
    {
      id: 40,
      parent: 35,
      device: '0:52',
      path: '/data',
      fileSystem: 'btrfs',
      source: '/dev/ublkb1',
      options: 'rw,subvol=/sub',
    },
  ]);
});

function mount(id: number, parent: number, device: string, path: string, source = '/dev/x'): Mount {
  return { id, parent, device, path, fileSystem: 'ext4', source, options: '' };
}

function devices(all: readonly Mount[], ...paths: string[]) {
  return paths.map((path) => deviceOfMountOf(path, all));
}

test('the text of a path tells its mount, as the kernel would find it', () => {
  const mounts = [
    mount(20, 1, '8:1', '/'),
    mount(21, 20, '8:2', '/mnt'),
    mount(22, 21, '8:3', '/mnt/a'),
    mount(24, 20, '8:5', '/deep/er'),
  ];
  const paths = ['/img', '/mnt', '/mnt/b', '/mnt/a/img', '/mnt/ab', '/deep/er/x', '/deep/x'];
  assert.deepEqual(devices(mounts, ...paths), ['8:1', '8:2', '8:2', '8:3', '8:2', '8:5', '8:1']);
  // Mounted over /mnt, it hides what is below.
  assert.deepEqual(devices([...mounts, mount(23, 21, '8:4', '/mnt')], '/mnt', '/mnt/a/img'), ['8:4', '8:4']);
  assert.deepEqual(devices([], '/img'), [null]);
  assert.deepEqual(devices([mount(20, 1, '0:30', '/', 'tmpfs')], '/img'), [null]);
});

test('swap areas are the first column below the headings', () => {
  const text =
    'Filename\t\t\tType\t\tSize\tUsed\tPriority\n/dev/ublkb2                             partition\t65532\t0\t-2\n';
  assert.deepEqual(parseSwaps(text), ['/dev/ublkb2']);
});

test('a store of LIO has the number of its disk or the name of its file; one that is not in use has neither', () => {
  const head = 'Status: ACTIVATED  Max Queue Depth: 0  SectorSize: 512  HwMaxSectors: 2048\n';
  const disk = '        iBlock device: ublkb0  UDEV PATH: /dev/my disk  readonly: 0\n  exclusive: 1\n';
  assert.deepEqual(parseLioInfo(`${head}${disk}        Major: 259 Minor: 2  CLAIMED: IBLOCK\n`), {
    file: '/dev/my disk',
    device: '259:2',
  });
  const file = '        TCM FILEIO ID: 0        File: /mnt/a b  Size: 1048576  Mode: O_DSYNC Async: 0\n';
  assert.deepEqual(parseLioInfo(`${head}${file}`), { file: '/mnt/a b', device: null });
  assert.equal(parseLioInfo(head), null);
});

test('holders are named, each with the command that ends it', () => {
  const holders: Holder[] = [
    { kind: 'mount', path: '/mnt', fileSystem: 'ext4', pid: 1 },
    { kind: 'swap', path: '/dev/ublkb0p2' },
    { kind: 'device', name: 'dm-0', label: 'vg-lv' },
    { kind: 'device', name: 'ublkb12', label: 'loop' },
    { kind: 'device', name: 'zram0', label: null },
    { kind: 'device', name: 'bcache1', label: null },
    { kind: 'device', name: 'drbd2', label: null },
    { kind: 'export', name: 'nvmet (subsystem s, namespace 1)', release: 'echo 0 > /sys/enable' },
    { kind: 'file-system', fileSystem: 'xfs' },
    { kind: 'process', pid: 12, command: 'sleep' },
  ];
  assert.equal(
    describeHolders(holders),
    'mounted at /mnt (ext4), used as swap (/dev/ublkb0p2), part of dm-0 (vg-lv), part of ublkb12 (loop), part of zram0, part of bcache1, part of drbd2, served by nvmet (subsystem s, namespace 1), part of a file system (xfs) whose mount cannot be seen here, open in process 12 (sleep)',
  );
  assert.deepEqual(holders.map(toRelease), [
    '`umount /mnt`',
    '`swapoff /dev/ublkb0p2`',
    '`dmsetup remove vg-lv`',
    '`ublkts del -n 12`',
    '`zramctl --reset /dev/zram0`',
    '`echo 1 > /sys/block/bcache1/bcache/stop`',
    '`drbdsetup detach 2`',
    '`echo 0 > /sys/enable`',
    'end the programs that have its files open (after `umount -l`), or unmount it in its mount namespace',
    '`kill 12`',
  ]);
  const path = '/mnt/my disk';
  assert.equal(toRelease({ kind: 'mount', path, fileSystem: 'ext4', pid: 1 }), "`umount '/mnt/my disk'`");
});
