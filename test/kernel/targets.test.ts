/** loop, stripe and fault_inject on a real ublk driver. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  blockDevice,
  describeDevice,
  leavesNothingBehind,
  run,
  sh,
  sharedDevice,
  shFails,
  skip,
  verify,
  withDevice,
} from './guest.ts';
import { LONG, onlyLong } from './support/long.ts';

// tmpfs, whose files have holes and no ZERO_RANGE; ext4 of the guest's disk, which has both.
const TMPFS = '/tmp/targets';
const EXT4 = '/var/tmp/targets';
const MiB = 1 << 20;
const CHUNK = 64 << 10;
const RAM_PATHS = LONG
  ? ['copy', 'user_copy', 'zero_copy', 'auto_zc', 'batch+auto_zc']
  : ['user_copy', 'batch+auto_zc'];

describe('targets', { skip }, () => {
  leavesNothingBehind();
  sh(`mkdir -p ${TMPFS} ${EXT4} /mnt/targets`);

  test('loop by its command line: data, file systems, and the way out', async () => {
    const [data] = files(TMPFS, '400M', 'data');
    const added = sh(`ublkts add -t loop -n 7 ${data}`);
    assert.match(added, /^dev id 7: .* block size 512 dev_capacity 819200$/m);
    await blockDevice('/dev/ublkb7');
    verify('/dev/ublkb7');
    fileSystems('/dev/ublkb7');
    sh('ublkts del -n 7');
    assert.notEqual(run('test -e /dev/ublkb7').status, 0);
  });

  test('stripe over three files with zero copy: data and file systems', { skip: onlyLong }, async () => {
    const parts = files(TMPFS, '128M', 'a', 'b', 'c');
    const targetOptions = { chunk_size: '4k' };
    await withDevice({ target: 'stripe', files: parts, targetOptions, features: ['SUPPORT_ZERO_COPY'] }, ({ path }) => {
      verify(path);
      fileSystems(path);
    });
  });

  test('stripe with a shared buffer: requests match, and their data is right', async () => {
    sh('echo 4 > /proc/sys/vm/nr_hugepages; mkdir -p /mnt/huge; mount -t hugetlbfs none /mnt/huge');
    sh('fallocate -l 4M /mnt/huge/buffer');
    const parts = files(TMPFS, '16M', 'a', 'b');
    const buffers = [{ path: '/mnt/huge/buffer', readOnly: false }];
    await withDevice({ target: 'stripe', files: parts, features: ['SHMEM_ZC'], buffers }, async ({ id, path }) => {
      sh(
        `fio --name=v --filename=${path} --direct=1 --ioengine=libaio --rw=randwrite --bs=256k --size=12M --iodepth=4 \
         --mem=mmaphuge:/mnt/huge/buffer --verify=crc32c --verify_state_save=0 --verify_fatal=1`,
      );
      const { io } = await describeDevice(id);
      assert.ok((io?.matched.requests ?? 0) > 50, `${io?.matched.requests} requests matched`);
    });
    sh('rm /mnt/huge/buffer; umount /mnt/huge; echo 0 > /proc/sys/vm/nr_hugepages');
  });

  test('ram: a disk whose data outlives its server, on all kinds of data paths, and whose memory goes with it', async () => {
    const before = sharedMemory();
    for (const dataPath of RAM_PATHS) {
      await withDevice({ target: 'ram', targetOptions: { size: '32M' }, dataPath }, ({ path }) =>
        verify(path, '--size=8M'),
      );
    }
    sh('ublkts add -t ram -s 64M -r 1 -n 7');
    await blockDevice('/dev/ublkb7');
    sh('mkfs.ext4 -q /dev/ublkb7 && mount /dev/ublkb7 /mnt/targets && cp -r src /mnt/targets/ && umount /mnt/targets');
    const { ublksrv_pid } = await describeDevice(7);
    sh(`kill -9 ${ublksrv_pid}; ublkts recover -n 7`);
    sh('mount /dev/ublkb7 /mnt/targets && diff -r src /mnt/targets/src && umount /mnt/targets');
    shFails('ublkts update_size -n 7 -s 128M', /the size of a ram device is fixed/);
    sh('blkdiscard /dev/ublkb7 && ublkts del -n 7 && test ! -e /dev/shm/ublkts/7.ram');
    assert.ok(sharedMemory() - before < 1024, `${sharedMemory() - before} KiB of memory are left`);
  });

  test('loop over a part of its file: the data is there, and what was asked for is what the device is', async () => {
    const [file = ''] = files(EXT4, '8M', 'part');
    sh(`ublkts add -t loop -n 7 --offset 1M --sizelimit 2M --logical_block_size 4096 --no_discard ${file}`);
    await blockDevice('/dev/ublkb7');
    sh('test "$(blockdev --getsize64 --getss /dev/ublkb7 | xargs)" = "2097152 4096"');
    sh(`cat /sys/block/ublkb7/queue/discard_max_bytes | grep -qx 0`);
    const image = randomBytes(2 * MiB);
    writeFileSync(`${TMPFS}/image`, image);
    sh(`dd if=${TMPFS}/image of=/dev/ublkb7 bs=768k oflag=direct status=none && ublkts del -n 7`);
    const whole = readFileSync(file);
    assert.ok(whole.subarray(MiB, 3 * MiB).equals(image), 'the data is at its offset');
    assert.ok(
      whole.subarray(0, MiB).every((byte) => byte === 0) && whole.subarray(3 * MiB).every((byte) => byte === 0),
    );
    await withDevice(
      { target: 'loop', files: [file], targetOptions: { read_only: '1', buffered_io: '1' } },
      ({ path }) => {
        sh(`cmp ${path} ${file} && test "$(blockdev --getro ${path})" = 1`);
        shFails(`dd if=/dev/zero of=${path} bs=4k count=1 oflag=direct`, /not permitted|Read-only|denied/i);
      },
    );
    await withDevice({ target: 'loop', files: [file], targetOptions: { offset: '1048576' } }, ({ path }) => {
      sh(`blkdiscard -o 65536 -l 65536 ${path}`);
      const holed = readFileSync(file);
      assert.ok(holed.subarray(MiB + 65_536, MiB + 131_072).every((byte) => byte === 0));
      assert.ok(holed.subarray(MiB, MiB + 65_536).equals(image.subarray(0, 65_536)));
      verify(path, '--size=6M');
    });
    shFails(`ublkts add -t loop --offset 8M ${file}`, /--offset 8388608 is not within its 8388608 bytes/);
  });

  for (const [target, names] of [
    ['loop', ['a']],
    ['stripe', ['a', 'b']],
  ] as const) {
    describe(target, () => {
      const parts = names.map((name) => `${EXT4}/${name}`);
      const size = 8 * MiB;
      const device = sharedDevice(() => {
        files(EXT4, `${size / parts.length / MiB}M`, ...names);
        return { target, files: parts };
      });

      test('every chunk is in the file where it belongs', () => {
        const image = randomBytes(size);
        writeFileSync(`${TMPFS}/image`, image);
        sh(`dd if=${TMPFS}/image of=${device().path} bs=768k oflag=direct status=none`);
        const there = parts.map((file) => readFileSync(file));
        for (let chunk = 0; chunk < size / CHUNK; chunk++) {
          const at = Math.floor(chunk / parts.length) * CHUNK;
          const held = there[chunk % parts.length]!.subarray(at, at + CHUNK);
          assert.ok(held.equals(image.subarray(chunk * CHUNK, (chunk + 1) * CHUNK)), `chunk ${chunk}`);
        }
      });

      test('discarded and zeroed ranges reach the files', async () => {
        const { id, path } = device();
        fill(path, 'direct,dsync');
        assert.equal(allocated(parts), 8);
        sh(`blkdiscard -o 1M -l 2M ${path}`);
        assert.equal(allocated(parts), 6, 'a discard gives space back');
        sh(`fallocate -p -o 4M -l 1M ${path}`);
        assert.equal(allocated(parts), 5, 'a hole gives space back');
        sh(`blkdiscard -z -o 6M -l 1M ${path}`);
        assert.equal(allocated(parts), 5, 'zeroes that must not unmap keep their space');
        assert.equal(content(path), 'x--x-x-x');
        const { io } = await describeDevice(id);
        assert.equal(io?.errors, 0);
      });

      test('a file cut short under us is EIO beyond its end, and nothing else', () => {
        const { path } = device();
        const last = parts.at(-1)!;
        const whole = statSync(last).size;
        const read = (at: number, bytes: number) =>
          `dd if=${path} of=/dev/null iflag=direct,skip_bytes bs=${bytes} skip=${at} count=1 status=none`;
        // Not at a sector: what is left of it is neither here nor there.
        sh(`truncate -s ${whole / 2 + 100} ${last}`);
        shFails(read(size - CHUNK, CHUNK), /Input\/output error/);
        shFails(read(size / 2 - MiB / 2, MiB), /Input\/output error/);
        sh(read(0, MiB));
        sh(`truncate -s ${whole} ${last}`);
        sh(read(size - MiB, MiB));
        verify(path, '--size=4M');
      });
    });
  }

  test('loop on tmpfs, which has no ZERO_RANGE: zeroes keep their space all the same', async () => {
    const parts = files(TMPFS, '8M', 'data');
    await withDevice({ target: 'loop', files: parts }, ({ path }) => {
      fill(path, 'direct');
      sh(`blkdiscard -z -o 1M -l 1M ${path}`);
      assert.equal(allocated(parts), 8);
      sh(`blkdiscard -o 3M -l 1M ${path}`);
      assert.equal(allocated(parts), 7);
      assert.equal(content(path), 'x-x-xxxx');
    });
  });

  test('a full file system is ENOSPC, and room makes it good again', async () => {
    sh('mount -t tmpfs -o size=6M none /mnt/targets; truncate -s 32M /mnt/targets/data');
    await withDevice({ target: 'loop', files: ['/mnt/targets/data'] }, ({ path }) => {
      const write = `dd if=/dev/urandom of=${path} bs=1M count=16 oflag=direct status=none`;
      shFails(write, /No space left on device/);
      sh(`dd if=${path} of=/dev/null bs=1M count=4 iflag=direct status=none`);
      sh('mount -o remount,size=64M /mnt/targets');
      sh(write);
    });
    sh('umount /mnt/targets');
  });

  test('a backing device that returns EIO: so do we, and only there', async () => {
    const [data] = files(EXT4, '16M', 'data');
    sh('modprobe loop; modprobe dm_mod');
    const disk = sh(`losetup --find --show ${data}`);
    sh(`printf '0 16384 linear ${disk} 0\\n16384 16384 error\\n' | dmsetup create targets-bad`);
    try {
      await withDevice({ target: 'loop', files: ['/dev/mapper/targets-bad'] }, ({ path }) => {
        shFails(`dd if=${path} of=/dev/null ${at(12 * MiB)}`, /Input\/output error/);
        shFails(`dd if=${path} of=/dev/null ${at(8 * MiB - 4096)}`, /Input\/output error/);
        shFails(`dd if=/dev/zero of=${path} bs=64k seek=200 count=1 oflag=direct status=none`, /Input\/output error/);
        sh(`dd if=${path} of=/dev/null ${at(7 * MiB)}`);
        sh(`dmsetup suspend targets-bad; echo '0 32768 linear ${disk} 0' | dmsetup load targets-bad`);
        sh('dmsetup resume targets-bad');
        verify(path);
      });
    } finally {
      sh(`udevadm settle; dmsetup remove --retry targets-bad; losetup -d ${disk}`);
    }
  });

  test('a file that cannot be written makes a read-only device', async () => {
    const [data] = files(TMPFS, '8M', 'data');
    sh(`mount --bind ${TMPFS} /mnt/targets; mount -o remount,ro,bind /mnt/targets`);
    await withDevice({ target: 'loop', files: [data!.replace(TMPFS, '/mnt/targets')] }, ({ path }) => {
      assert.equal(sh(`blockdev --getro ${path}`), '1');
      shFails(`dd if=/dev/zero of=${path} bs=4k count=1 oflag=direct status=none`, /not permitted|Read-only/);
      sh(`dd if=${path} of=/dev/null bs=4k count=1 iflag=direct status=none`);
    });
    sh('umount /mnt/targets');
  });

  test('integrity: metadata is kept in the second file, and what does not match it is an error', async () => {
    const [data, metadata] = files(TMPFS, '8M', 'data', 'metadata');
    const integrity = {
      metadataSize: 8,
      capable: true,
      reftag: true,
      piOffset: 0,
      csumType: 't10dif',
      tagSize: 0,
    } as const;
    await withDevice(
      { target: 'loop', files: [data!, metadata!], features: ['USER_COPY', 'INTEGRITY'], integrity },
      ({ id, path }) => {
        assert.equal(sh(`head -c 131072 ${metadata} | tr -d '\\377' | wc -c`), '0');
        verify(path, '--size=8M');
        sh(`dd if=/dev/urandom of=${path} bs=64k count=1 oflag=direct status=none`);
        sh(`dd if=${path} of=/dev/null bs=64k count=1 iflag=direct status=none`);
        sh(`dd if=/dev/zero of=${data} bs=512 seek=3 count=1 conv=notrunc oflag=direct status=none`);
        shFails(
          `dd if=${path} of=/dev/null bs=64k count=1 iflag=direct status=none`,
          /Invalid or incomplete multibyte/,
        );
        sh(`dd if=${path} of=/dev/null bs=64k skip=1 count=1 iflag=direct status=none`);
        sh(`ublkts update_size -n ${id} -s 9M --grow`);
        sh(`dd if=${path} of=/dev/null bs=1M skip=8 count=1 iflag=direct status=none`);
      },
    );
  });

  test('fault_inject waits as long as it was told, a second and more too', async () => {
    await withDevice({ target: 'fault_inject', queues: 1, targetOptions: { delay_us: '1200000' } }, ({ path }) => {
      const began = performance.now();
      sh(`dd if=${path} of=/dev/null bs=4k count=1 iflag=direct status=none`);
      assert.ok(performance.now() - began >= 1200);
    });
  });

  test('fault_inject delays every request by as much, whatever others complete meanwhile', async () => {
    const delayMs = 30;
    const options = { target: 'fault_inject', queues: 1, targetOptions: { delay_us: String(delayMs * 1000) } };
    await withDevice(options, ({ path }) => {
      // Requests begin at random moments, so that each sees many others complete before its own time.
      const arrivals = '--iodepth=32 --rate_iops=400 --rate_process=poisson --number_ios=400';
      const fio = `fio --name=f --filename=${path} --direct=1 --ioengine=libaio --rw=randread --bs=4k ${arrivals}`;
      const report = JSON.parse(sh(`${fio} --output-format=json`)) as FioReport;
      const { min } = report.jobs[0]!.read.lat_ns;
      assert.ok(min >= delayMs * 1e6, `the shortest took ${min / 1e6} ms`);
    });
  });

  test('fault_inject dies between two fetches, and leaves no device', async () => {
    const options = { target: 'fault_inject', queues: 1, targetOptions: { die_during_fetch: '1' } };
    await assert.rejects(
      withDevice(options, () => {}),
      { code: 'SERVER_DIED' },
    );
  });
});

interface FioReport {
  readonly jobs: readonly { readonly read: { readonly lat_ns: { readonly min: number } } }[];
}

/** dd's words for one MiB from byte `bytes` on. */
function at(bytes: number): string {
  return `bs=1M iflag=direct,skip_bytes count=1 status=none skip=${bytes}`;
}

/** Sparse files of `size` in `folder`, new each time. */
function files(folder: string, size: string, ...names: string[]): string[] {
  return names.map((name) => {
    const file = `${folder}/${name}`;
    sh(`rm -f ${file}; truncate -s ${size} ${file}`);
    return file;
  });
}

/** 8 MiB of `x`. */
function fill(path: string, flags: string): void {
  sh(`head -c 8M /dev/zero | tr '\\0' x | dd of=${path} bs=1M iflag=fullblock oflag=${flags} status=none`);
}

/** MiB that the files take on their file systems, which keep a block here and there for themselves. */
function allocated(files: readonly string[]): number {
  sh('sync');
  const blocks = sh(`stat -c %b ${files.join(' ')}`)
    .split('\n')
    .map(Number);
  return Math.round(blocks.reduce((sum, count) => sum + count * 512, 0) / MiB);
}

/** The first 8 MiB of a device, a letter each: `x` or `-` for zeroes, `?` for a mixture. */
function content(path: string): string {
  const fd = openSync(path, 'r');
  const bytes = Buffer.alloc(MiB);
  try {
    return Array.from({ length: 8 }, (_, megabyte) => {
      readSync(fd, bytes, 0, MiB, megabyte * MiB);
      const first = bytes[0]!;
      return bytes.every((byte) => byte === first) ? String.fromCharCode(first || '-'.charCodeAt(0)) : '?';
    }).join('');
  } finally {
    closeSync(fd);
  }
}

/** ext4 and xfs: made, mounted, filled, unmounted and checked. */
function fileSystems(path: string): void {
  const checks = LONG ? { ext4: 'e2fsck -fn', xfs: 'xfs_repair -n' } : { xfs: 'xfs_repair -n' };
  for (const [type, check] of Object.entries(checks)) {
    try {
      sh(`wipefs -aq ${path}; mkfs.${type} -q ${path}; mount ${path} /mnt/targets`);
      sh(
        `dd if=/dev/urandom of=/mnt/targets/big bs=1M count=8 conv=fsync status=none; cp -r /etc/pam.d /mnt/targets/many`,
      );
      sh('sha256sum /mnt/targets/big > /tmp/targets.sum; umount /mnt/targets');
      sh(`${check} ${path}; mount ${path} /mnt/targets; sha256sum --check --status /tmp/targets.sum`);
      sh('diff -r --no-dereference /etc/pam.d /mnt/targets/many');
    } finally {
      run('umount /mnt/targets');
    }
  }
}

/** KiB of memory in files on tmpfs. */
function sharedMemory(): number {
  return Number(sh("awk '/^Shmem:/ { print $2 }' /proc/meminfo"));
}
