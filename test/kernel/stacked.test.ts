/** Devices whose targets lie on other ublk devices: the lower one goes last. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddRequest } from '../../src/spec/options.ts';
import {
  blockDevice,
  describeDevice,
  leavesNothingBehind,
  run,
  sh,
  shFails,
  skip,
  verify,
  withDevice,
} from './guest.ts';
import { inBackground } from './support/background.ts';
import { endServer, until } from './support/devices.ts';
import { library } from './support/library.ts';
import { onlyLong } from './support/long.ts';

const NAME = 'stacked';
const DIRECTORY = '/tmp/stacked';
const KUBLK = '/opt/kublk/kublk';
const image = `${DIRECTORY}/image`;
const onFile = { target: 'loop', files: [image] };

describe('a ublk device that lies on another one', { skip }, () => {
  let serverPid = 0;

  before(async () => {
    sh(`mkdir -p ${DIRECTORY}`);
    serverPid = (await library.startServer({ name: NAME, threads: 1 })).pid;
  });
  after(async () => {
    await endServer(NAME, serverPid);
    sh(`rm -rf ${DIRECTORY}`);
  });
  leavesNothingBehind();

  test('is named by del and stop of the lower one, which stop nothing', { skip: onlyLong }, async () => {
    sh(`truncate -s 8M ${image}`);
    const below = await library.addDevice(onFile);
    await blockDevice(below.path);
    sh(`ln -s ${below.path} ${DIRECTORY}/link`);
    const above = await library.addDevice(onDevice(`${DIRECTORY}/link`));
    for (const command of ['del', 'stop']) {
      const { status, stderr } = run(`ublkts ${command} -n ${below.id}`);
      const [what, hint] = stderr.split('\n');
      assert.equal(
        what,
        `ublkts ${command}: device ${below.id} is in use: it is part of ublkb${above.id} (loop) (EBUSY)`,
      );
      assert.match(hint ?? '', new RegExp(`^hint: \`ublkts del -n ${above.id}\` first; `));
      assert.equal(status, 6);
    }
    shFails(`ublkts update_size -n ${below.id} -s 4M`, new RegExp(`ublkb${below.id} is used by ublkb${above.id}`));
    assert.equal((await describeDevice(below.id)).state, 'LIVE');
    // One that is stopped writes nothing any more.
    sh(`ublkts stop -n ${above.id} && ublkts del -n ${below.id} && ublkts del -n ${above.id}`);
  });

  test('is deleted before it by del -a, whatever the ids, and what it held is where it belongs', async () => {
    sh(`truncate -s 8M ${image} && dd if=/dev/urandom of=${DIRECTORY}/data bs=1M count=4 status=none`);
    const ids = [12, 11, 10];
    let path = image;
    for (const id of ids.toReversed()) {
      const spec = path === image ? onFile : onDevice(path);
      const server = id === 11 ? { server: NAME } : {};
      ({ path } = await library.addDevice({ ...spec, ...server, id }));
      await blockDevice(path);
    }
    sh(`dd if=${DIRECTORY}/data of=${path} bs=1M oflag=direct status=none`);
    sh('ublkts del -a');
    sh(`cmp -n 4194304 ${image} ${DIRECTORY}/data`);
    for (const id of ids) assert.deepEqual(filesLeftOf(id), []);
  });

  test('is seen through a partition and a loop device of the kernel', { skip: onlyLong }, async () => {
    partitioned();
    await withDevice(onFile, async (below) => {
      const partition = `${below.path}p1`;
      await blockDevice(partition);
      const loop = sh(`modprobe loop; losetup --find --show ${partition}`).trim();
      try {
        await withDevice(onDevice(loop), ({ id }) => {
          shFails(`ublkts del -n ${below.id}`, new RegExp(`part of ublkb${id} \\(loop\\), part of loop`));
        });
      } finally {
        sh(`losetup -d ${loop}`);
      }
    });
  });

  const skipKublk = existsSync(KUBLK) ? false : `no ${KUBLK} in this guest`;
  test('is seen when kublk serves it', { skip: skipKublk || onlyLong }, async () => {
    partitioned();
    await withDevice(onFile, async (below) => {
      await blockDevice(`${below.path}p1`);
      sh(`${KUBLK} add -t loop -n 9 ${below.path}p1 > /dev/null 2>&1`);
      await blockDevice('/dev/ublkb9');
      shFails(`ublkts del -n ${below.id}`, /part of ublkb9 .*\nhint: `ublkts del -n 9` first/);
      sh('ublkts del -n 9');
    });
  });

  test('is named when Ctrl-C is to end a lower one that runs in the foreground', { skip: onlyLong }, async () => {
    sh(`truncate -s 32M ${image}`);
    const below = inBackground(`exec ublkts add -t loop -n 8 --foreground ${image} > ${DIRECTORY}/said 2>&1`);
    await until('it is live', () => /state LIVE/.test(readFileSync(`${DIRECTORY}/said`, 'utf8')));
    await blockDevice('/dev/ublkb8');
    await withDevice(onDevice('/dev/ublkb8'), async ({ id }) => {
      process.kill(below.pid, 'SIGINT');
      await until('it says why not', () =>
        readFileSync(`${DIRECTORY}/said`, 'utf8').includes(
          `device 8 is in use and is served on: ublkb8 is used by ublkb${id}`,
        ),
      );
    });
    process.kill(below.pid, 'SIGINT');
    await below.succeeded;
  });

  test('shares a server and its thread with the lower one: data under load, a crash of the server, and the end', async () => {
    sh(`truncate -s 64M ${image}`);
    const recoverable: Partial<AddRequest> = { server: NAME, features: ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'] };
    const below = await library.addDevice({ ...onFile, ...recoverable });
    await blockDevice(below.path);
    const above = await library.addDevice({ ...onDevice(below.path), ...recoverable });
    await blockDevice(above.path);
    verify(above.path, '--size=16M --iodepth=32');
    // Through the page cache of the upper one, with an fsync at the end.
    sh(`dd if=/dev/urandom of=${DIRECTORY}/data bs=1M count=24 status=none`);
    sh(`timeout 120 dd if=${DIRECTORY}/data of=${above.path} bs=1M conv=fsync status=none`);
    process.kill(serverPid, 'SIGKILL');
    await until('the devices have no server', async () =>
      (await library.listDevices()).every(({ state }) => state === 'QUIESCED'),
    );
    serverPid = (await library.startServer({ name: NAME, threads: 1 })).pid;
    shFails(`ublkts recover -n ${above.id}`, new RegExp(`it lies on device ${below.id}, which has no server`));
    sh('ublkts recover -a');
    sh(`timeout 120 cmp -n 25165824 ${above.path} ${DIRECTORY}/data`);
    verify(above.path, '--size=4M --iodepth=32');
    sh('ublkts del -a');
    sh(`cmp -n 1048576 -i 8388608 ${image} ${DIRECTORY}/data`);
  });

  test('is recovered after it by recover -a when a file system lies between them', { skip: onlyLong }, async () => {
    sh(`truncate -s 64M ${image}; mkdir -p ${DIRECTORY}/mount`);
    const features: AddRequest['features'] = ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'];
    const below = await library.addDevice({ ...onFile, features, id: 20 });
    await blockDevice(below.path);
    sh(
      `mkfs.ext4 -q ${below.path} && mount ${below.path} ${DIRECTORY}/mount && truncate -s 8M ${DIRECTORY}/mount/file`,
    );
    const above = await library.addDevice({ target: 'loop', files: [`${DIRECTORY}/mount/file`], features, id: 10 });
    await blockDevice(above.path);
    for (const { ublksrv_pid } of [above, below]) process.kill(ublksrv_pid, 'SIGKILL');
    await until('the devices have no server', async () =>
      (await library.listDevices()).every(({ state }) => state === 'QUIESCED'),
    );
    sh('ublkts recover -a');
    verify(above.path, '--size=1M');
    sh(`ublkts del ${above.id} && umount ${DIRECTORY}/mount && ublkts del ${below.id}`);
  });

  test('that cannot be opened holds up no other device of its server', { skip: onlyLong }, async () => {
    sh(`truncate -s 32M ${image}`);
    const below = await library.addDevice(onFile);
    await blockDevice(below.path);
    sh('udevadm settle');
    process.kill(below.ublksrv_pid, 'SIGSTOP');
    // Its read of the partitions waits for the server, and open(2) with O_EXCL for the end of that.
    run(`blockdev --rereadpt ${below.path} > /dev/null 2>&1 &`);
    await until('it is read', () => /D/.test(run('ps -o stat= -C blockdev').stdout));
    const adding = library.addDevice({ ...onDevice(below.path), server: NAME });
    let waits = true;
    const ended = () => (waits = false);
    adding.then(ended, ended);
    try {
      await sleep(1000);
      await withDevice({ target: 'null', server: NAME }, ({ path }) => {
        sh(`dd if=${path} of=/dev/null bs=4k count=1 iflag=direct status=none`);
      });
      assert.ok(waits, 'its file cannot be opened yet');
    } finally {
      process.kill(below.ublksrv_pid, 'SIGCONT');
    }
    const above = await adding;
    await blockDevice(above.path);
    verify(above.path, '--size=1M');
    sh('ublkts del -a');
  });

  test('del of several devices deletes them in their order, and says which of them there is not', {
    skip: onlyLong,
  }, async () => {
    sh(`truncate -s 8M ${image}`);
    const below = await library.addDevice(onFile);
    await blockDevice(below.path);
    const above = await library.addDevice({ ...onDevice(below.path), server: NAME });
    await blockDevice(above.path);
    sh(`dd if=/dev/urandom of=${above.path} bs=1M count=4 oflag=direct status=none`);
    const { status, stderr } = run(`ublkts del ${above.id} 4000 ${below.id}`);
    assert.equal(status, 64);
    assert.match(stderr, /^ublkts del: there is no device 4000 .*\n.*\n$/);
    assert.deepEqual(filesLeftOf(above.id), []);
    assert.deepEqual(filesLeftOf(below.id), []);
    assert.ok(!existsSync(`/dev/ublkc${below.id}`));
  });
});

/** Gives the image one partition. */
function partitioned(): void {
  sh(`truncate -s 32M ${image} && echo 'start=2048' | sfdisk -q ${image}`);
}

function onDevice(path: string) {
  return { target: 'loop', files: [path], targetOptions: { buffered_io: '1' } };
}

function filesLeftOf(id: number): string[] {
  return readdirSync('/run/ublkts').filter((name) => name.startsWith(`${id}.`));
}
