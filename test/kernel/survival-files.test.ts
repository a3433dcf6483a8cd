/** Backing files that other servers lost data on: used twice, promised what they cannot do, or changed in size. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { after, afterEach, describe, test } from 'node:test';
import type { DeviceReport } from '../../src/device/report/report.ts';
import type { AddOptions } from '../../src/spec/options.ts';
import { run as ublkts } from '../../tools/guest/ublkts.ts';
import { blockDevice, leavesNothingBehind, run, sh, skip } from './guest.ts';
import { inBackground } from './support/background.ts';
import { killServer } from './support/devices.ts';
import { makeFat } from './support/fat.ts';
import { writeExampleOfDocumentation } from './support/installed.ts';
import { library } from './support/library.ts';
import { onlyLong } from './support/long.ts';

const FOLDER = '/var/tmp/survival';
const MOUNT = '/mnt/survival';
const MiB = 1 << 20;
const INTEGRITY = {
  metadataSize: 8,
  capable: false,
  reftag: false,
  piOffset: 0,
  csumType: 'none',
  tagSize: 0,
} as const;

const { addDevice, deleteAllDevices, deleteDevice, describeDevice, recoverDevice, updateSize } = library;

describe('backing files that survive', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();
  afterEach(() => deleteAllDevices());
  if (skip === false) sh(`mkdir -p ${FOLDER} ${MOUNT}; modprobe loop; modprobe dm_mod`);
  after(() => void run(`rm -rf ${FOLDER}`));

  describe('used once', () => {
    test('a file that a device serves is refused by every name and for every target', async () => {
      const [a, b] = files('16M', 'a', 'b');
      sh(`ln -f ${a} ${FOLDER}/hard; ln -sf ${a} ${FOLDER}/soft; mount --bind ${FOLDER} ${MOUNT}`);
      try {
        const { id } = await start({ target: 'loop', features: ['USER_RECOVERY'], files: [a!] });
        const holder = /device 0 \(loop, server pid \d+\) serves it/;
        for (const name of [a!, `${FOLDER}/hard`, `${FOLDER}/soft`, `${MOUNT}/a`]) {
          await refusedUse({ target: 'loop', files: [name] }, holder);
        }
        await refusedUse({ target: 'loop', features: ['BATCH_IO'], files: [a!] }, holder);
        await refusedUse({ target: 'stripe', files: [b!, a!] }, holder);
        await refusedUse(
          { target: 'loop', features: ['USER_COPY', 'INTEGRITY'], integrity: INTEGRITY, files: [b!, a!] },
          holder,
        );
        await refusedUse({ target: 'loop', share: true, files: [a!] }, holder);

        await killServer(id);
        await refusedUse({ target: 'loop', files: [a!] }, holder);
        await recoverDevice(id, {});
        await refusedUse({ target: 'loop', files: [a!] }, holder);
        await deleteDevice(id);
        await start({ target: 'stripe', files: [b!, a!] });
        await refusedUse({ target: 'loop', files: [b!] }, /device 0 \(stripe, server pid \d+\) serves it/);
      } finally {
        sh(`umount ${MOUNT}`);
      }
    });

    test('--share lets those together that all say so', async () => {
      const [a] = files('16M', 'a');
      await start({ target: 'loop', share: true, files: [a!] });
      await start({ target: 'stripe', share: true, files: [a!] });
      const { code, stderr } = await ublkts(`add -t loop ${a}`);
      assert.deepEqual([code, stderr.includes('--share')], [6, true], stderr);
      await refusedUse({ target: 'loop', files: [a!] }, /device \d \(\w+, server pid \d+\) serves it/);
    });

    test('a holder that has no record is named by its process', async () => {
      const [a] = files('16M', 'a');
      const device = await start({ target: 'loop', files: [a!] });
      sh(`rm /run/ublkts/${device.id}.json`);
      await refusedUse({ target: 'loop', files: [a!] }, new RegExp(`pid ${device.ublksrv_pid} \\(.*\\) has it locked`));
    });

    test('a block device that is mounted, swap, below dm, or partly in use is refused with its user', async () => {
      const [a] = files('64M', 'disk');
      sh(`printf 'size=16M\\nsize=16M\\nsize=16M\\n' | sfdisk -q ${a}`);
      const disk = sh(`losetup --find --show --partscan ${a}; udevadm settle`);
      try {
        sh(`ln -sfn ${FOLDER} ${FOLDER}-link`);
        for (const name of [a!, a!.replace(FOLDER, `${FOLDER}-link`)]) {
          await refusedUse({ target: 'loop', files: [name] }, new RegExp(`${disk} uses it`));
        }
        sh(`rm ${FOLDER}-link`);
        sh(`mkfs.ext4 -q ${disk}p1; mount ${disk}p1 ${MOUNT}; mkswap ${disk}p2; swapon ${disk}p2`);
        sh(`echo "0 8192 linear ${disk}p3 0" | dmsetup create survival`);
        const name = disk.replace('/dev/', '');
        await refusedUse({ target: 'loop', files: [`${disk}p1`] }, new RegExp(`${name}p1 is mounted on ${MOUNT}`));
        await refusedUse({ target: 'loop', files: [`${disk}p2`] }, new RegExp(`${name}p2 is used as swap`));
        await refusedUse(
          { target: 'stripe', files: [`${disk}p3`] },
          new RegExp(`${name}p3 is used by dm-\\d+ \\(survival\\)`),
        );
        await refusedUse({ target: 'loop', files: [disk] }, new RegExp(`${name}p1 is mounted on ${MOUNT}`));
        await refusedUse({ target: 'loop', files: [a!] }, new RegExp(`${disk} uses it`));
        sh(`umount ${MOUNT}; swapoff ${disk}p2; udevadm settle; dmsetup remove --retry survival`);

        await start({ target: 'loop', files: [`${disk}p1`] });
        await refusedUse({ target: 'loop', files: [disk] }, /device 0 \(loop, server pid \d+\) serves it/);
        await refusedUse({ target: 'loop', files: [`${disk}p1`] }, /device 0 \(loop, server pid \d+\) serves it/);
        sh(`mknod ${FOLDER}/node b $(stat -c '0x%t 0x%T' ${disk}p1)`);
        await refusedUse({ target: 'loop', files: [`${FOLDER}/node`] }, /device 0 \(loop, server pid \d+\) serves it/);
        await start({ target: 'loop', files: [`${disk}p2`] });
        assert.notEqual(run(`mount ${disk}p1 ${MOUNT}`).status, 0, 'and nobody can mount it');
      } finally {
        await deleteAllDevices();
        run(`umount ${MOUNT}; swapoff ${disk}p2; dmsetup remove --retry survival`);
        sh(`udevadm settle; losetup -d ${disk}`);
      }
    });

    test('a file that lies on the device itself is refused, and the device can still be recovered', async () => {
      const [a] = files('64M', 'a');
      const { id, path } = await start({ target: 'loop', features: ['USER_RECOVERY'], files: [a!] });
      sh(`mkfs.ext4 -q ${path}; mount ${path} ${MOUNT}; truncate -s 16M ${MOUNT}/inner`);
      try {
        await killServer(id);
        await refused(
          recoverDevice(id, { files: [`${MOUNT}/inner`] }),
          /lies on \/dev\/ublkb0, the device that it is to serve/,
        );
        await refused(recoverDevice(id, { files: [path] }), /lies on \/dev\/ublkb0, the device that it is to serve/);
        await recoverDevice(id, {});
        sh(`touch ${MOUNT}/inner; sync ${MOUNT}`);
      } finally {
        // Without a server an unmount would wait for ever.
        if ((await describeDevice(id)).state !== 'LIVE') await recoverDevice(id, {});
        sh(`umount ${MOUNT}`);
      }
    });
  });

  describe('promised no more than they can', () => {
    test('vfat on a disk of 4096-byte sectors: the device has such blocks too, and direct I/O', {
      skip: onlyLong,
    }, async () => {
      const [image] = files('32M', 'fat');
      makeFat(image!, 32 * MiB, 4096);
      const disk = sh(`losetup --find --show --sector-size 4096 ${image}`);
      sh(`mount -t vfat ${disk} ${MOUNT}; head -c 8M /dev/urandom > ${MOUNT}/d.img; sync`);
      try {
        const { id, path } = await start({ target: 'loop', files: [`${MOUNT}/d.img`] });
        assert.equal(sh(`blockdev --getss ${path}`), '4096');
        sh(`cmp ${path} ${MOUNT}/d.img; dd if=${path} of=/dev/null bs=4k count=64 iflag=direct status=none`);
        const server = await describeDevice(id);
        assert.equal(server.io?.errors, 0);
        await deleteDevice(id);
      } finally {
        sh(`umount ${MOUNT}; losetup -d ${disk}`);
      }
    });

    test('ext2: discards are offered and work, zeroes that keep their space are not offered', async () => {
      const [image] = files('32M', 'ext2');
      sh(`mkfs.ext2 -q ${image}; mount -o loop ${image} ${MOUNT}; head -c 8M /dev/urandom > ${MOUNT}/d.img; sync`);
      try {
        const { id, path } = await start({ target: 'loop', files: [`${MOUNT}/d.img`] });
        assert.equal(queueLimit(id, 'write_zeroes_max_bytes'), 0);
        assert.notEqual(queueLimit(id, 'discard_max_bytes'), 0);
        sh(`blkdiscard -o 1M -l 1M ${path}; blkdiscard -z -o 3M -l 1M ${path}`);
        sh(`cmp -n ${MiB} /dev/zero ${path} 0 1M; cmp -n ${MiB} /dev/zero ${path} 0 3M`);
        assert.equal((await describeDevice(id)).io?.errors, 0);
        await deleteDevice(id);
      } finally {
        sh(`umount ${MOUNT}`);
      }
    });

    test('a file of ext3 on what is now ext4 is judged by itself', { skip: onlyLong }, async () => {
      const [image] = files('32M', 'ext4');
      sh(`mkfs.ext4 -q ${image}; mount -o loop ${image} ${MOUNT}; touch ${MOUNT}/d.img; chattr -e ${MOUNT}/d.img`);
      sh(`head -c 8M /dev/urandom > ${MOUNT}/d.img; sync; head -c 4M /dev/zero > ${MOUNT}/e.img; sync`);
      try {
        await start({ id: 0, target: 'loop', files: [`${MOUNT}/d.img`] });
        await start({ id: 1, target: 'loop', files: [`${MOUNT}/e.img`] });
        assert.equal(queueLimit(0, 'write_zeroes_max_bytes'), 0);
        assert.notEqual(queueLimit(1, 'write_zeroes_max_bytes'), 0);
        await deleteAllDevices();
      } finally {
        sh(`umount ${MOUNT}`);
      }
    });

    test('a disk that needs stable pages makes a device that says so, and a zoned disk makes none', async () => {
      sh('modprobe zram; echo 64M > /sys/block/zram0/disksize');
      const [a] = files('64M', 'a');
      try {
        assert.equal(await isStable('loop', ['/dev/zram0'], 'auto_zc'), true);
        assert.equal(await isStable('loop', ['/dev/zram0'], 'copy'), false);
        assert.equal(await isStable('stripe', [a!, '/dev/zram0'], 'auto_zc'), true);
        // What a target in a file has opened lies on a file system of the disk here.
        writeExampleOfDocumentation(`${FOLDER}/one-file.ts`, 'defineRingTarget');
        sh(`udevadm settle; mkfs.ext4 -q /dev/zram0; mount /dev/zram0 ${MOUNT}; truncate -s 16M ${MOUNT}/disk`);
        assert.equal(await isStable(`${FOLDER}/one-file.ts`, [`${MOUNT}/disk`], 'auto_zc'), true);
      } finally {
        run(`umount ${MOUNT}`);
        sh('udevadm settle; timeout 20 sh -c "until echo 1 > /sys/block/zram0/reset; do sleep 0.2; done"');
      }
      const zoned = '/sys/kernel/config/nullb/survival';
      sh(
        'modprobe null_blk nr_devices=0; mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config',
      );
      sh(`mkdir ${zoned}; cd ${zoned}; echo 1 > zoned; echo 4 > zone_size; echo 16 > size; echo 1 > power`);
      try {
        await blockDevice('/dev/survival');
        await refused(
          addDevice({ target: 'loop', files: ['/dev/survival'] }),
          /it is a zoned disk, which cannot be written/,
        );
      } finally {
        sh(`rmdir ${zoned}`);
      }
    });

    test('a device that was made for writing is not recovered with a file that cannot be written, and loses nothing', async () => {
      const [a] = files('16M', 'a');
      const { id, path } = await start({ target: 'loop', features: ['USER_RECOVERY'], files: [a!] });
      await killServer(id);
      sh(`chattr +i ${a}`);
      const writing = inBackground(`dd if=/dev/zero of=${path} bs=4k count=1 oflag=direct status=none`);
      try {
        await refused(recoverDevice(id, {}), /a: it cannot be written any more, and device \d was made for writing/);
        await refused(
          recoverDevice(id, { targetOptions: { read_only: 'yes' } }),
          /cannot be written: it was made for writing/,
        );
      } finally {
        sh(`chattr -i ${a}`);
      }
      await refused(recoverDevice(id, { targetOptions: { logical_block_size: '4096' } }), /has blocks of 4096 bytes/);
      await recoverDevice(id, {});
      await writing.succeeded;
    });
  });

  describe('as large as they are', () => {
    test('a loop device grows as far as its file, and the file only with --grow', async () => {
      const [a] = files('16M', 'a');
      const { id, path } = await start({ target: 'loop', features: ['USER_RECOVERY'], files: [a!] });
      await refused(updateSize(id, 0), /a device cannot have 0 bytes/);
      await refused(updateSize(id, 32 * MiB), /a has 16777216 bytes \(16M\), and 33554432 \(32M\) are needed/);
      assert.equal(await size(id), 16 * MiB);
      sh(`mv ${a} ${FOLDER}/moved`);
      await updateSize(id, 32 * MiB, { grow: true });
      assert.deepEqual([await size(id), statSync(`${FOLDER}/moved`).size], [32 * MiB, 32 * MiB]);
      sh(`mv ${FOLDER}/moved ${a}; dd if=/dev/urandom of=${path} bs=1M seek=31 count=1 oflag=direct status=none`);

      await updateSize(id, 24 * MiB);
      await killServer(id);
      await recoverDevice(id, {});
      assert.equal(await size(id), 24 * MiB, 'a new server gives the size that was set last');
      await killServer(id);
      sh(`truncate -s 20M ${a}`);
      await refused(recoverDevice(id, {}), /a has 20971520 bytes \(20M\), and 25165824 \(24M\) are needed/);
      sh(`truncate -s 24M ${a}`);
      await recoverDevice(id, {});
    });

    test('stripe, integrity metadata and disks are asked too, and null can have any size', {
      skip: onlyLong,
    }, async () => {
      const [a, b, c, d, image] = files('16M', 'a', 'b', 'c', 'd', 'disk');
      const disk = sh(`losetup --find --show ${image}`);
      try {
        await start({ id: 0, target: 'stripe', files: [a!, b!] });
        await start({
          id: 1,
          target: 'loop',
          features: ['USER_COPY', 'INTEGRITY'],
          integrity: INTEGRITY,
          files: [c!, d!],
        });
        await start({ id: 2, target: 'loop', files: [disk] });
        await start({ id: 3, target: 'null', targetOptions: { size: '1G' } });
        await refused(updateSize(0, 34 * MiB), /a has 16777216 bytes/);
        await updateSize(0, 33 * MiB, { grow: true });
        assert.deepEqual([statSync(a!).size, statSync(b!).size], [264 * 65536, 264 * 65536]);
        sh(`truncate -s 2G ${c}`);
        await refused(updateSize(1, 2048 * MiB), /d has 16777216 bytes \(16M\), and 33554432 \(32M\) are needed/);
        await updateSize(1, 2048 * MiB, { grow: true });
        assert.equal(statSync(d!).size, 32 * MiB);
        await assert.rejects(updateSize(2, 32 * MiB, { grow: true }), {
          message: /are needed/,
          hint: /disk larger first/,
        });
        await updateSize(3, 2 ** 42);
        assert.equal(await size(3), 2 ** 42);
        await deleteAllDevices();
      } finally {
        sh(`losetup -d ${disk}`);
      }
    });

    test('what is in use is not cut off without --force', async () => {
      const [a] = files('64M', 'a');
      const { id, path } = await start({ target: 'loop', files: [a!] });
      sh(`mkfs.ext4 -q ${path} 32M; mount ${path} ${MOUNT}`);
      try {
        await refused(updateSize(id, 48 * MiB), new RegExp(`ublkb${id} is mounted on ${MOUNT}`));
        await updateSize(id, 64 * MiB);
        await updateSize(id, 48 * MiB, { force: true });
      } finally {
        sh(`umount ${MOUNT}`);
      }
      sh(`printf 'size=16M\nsize=16M\n' | sfdisk -q --wipe always ${path}; udevadm settle; test -b ${path}p2`);
      await refused(updateSize(id, 24 * MiB), /partition ublkb\dp2 ends behind that/);
      await updateSize(id, 40 * MiB);
    });
  });
});

async function start(options: Partial<AddOptions> & { target: string }): Promise<DeviceReport> {
  const device = await addDevice({ queues: 1, depth: 8, ...options });
  await blockDevice(device.path);
  return device;
}

/** Whether a device of these files asks its clients to keep the pages of a write as they are. The device is deleted. */
async function isStable(target: string, backing: readonly string[], dataPath: 'auto_zc' | 'copy'): Promise<boolean> {
  const { id } = await start({ target, files: backing, dataPath });
  const stable = queueLimit(id, 'stable_writes');
  await deleteDevice(id);
  return stable === 1;
}

async function refusedUse(options: Partial<AddOptions> & { target: string }, message: RegExp): Promise<void> {
  await assert.rejects(addDevice({ queues: 1, depth: 8, ...options }), { message, kind: 'busy' });
}

function refused(attempt: Promise<unknown>, message: RegExp): Promise<void> {
  return assert.rejects(attempt, { message });
}

/** Sparse files of `size`, new each time. */
function files(size: string, ...names: string[]): string[] {
  return names.map((name) => {
    const file = `${FOLDER}/${name}`;
    sh(`rm -f ${file}; truncate -s ${size} ${file}`);
    return file;
  });
}

async function size(id: number): Promise<number> {
  return (await describeDevice(id)).size_bytes;
}

function queueLimit(id: number, name: string): number {
  return Number(readFileSync(`/sys/block/ublkb${id}/queue/${name}`, 'utf8'));
}
