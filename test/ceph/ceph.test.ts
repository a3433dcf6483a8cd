/**
 * The target nbd on an RBD image of a real Ceph, which qemu-nbd serves: data, a file system, growth, and what a client sees of
 * OSDs and servers that end. `npm run test:ceph` runs it, in a guest that has Ceph.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, type TestContext, test } from 'node:test';
import { startVerifier, type Verifier } from '../../tools/guest/start-verifier.ts';
import {
  describeDevice,
  leavesNothingBehind,
  run,
  sh,
  shFails,
  skip as noDriver,
  verify,
  withDevice,
} from '../kernel/guest.ts';
import { until } from '../kernel/support/devices.ts';
import { requestsOf } from '../kernel/support/kills.ts';
import { LONG, onlyLong } from '../kernel/support/long.ts';
import { type Program, startServer } from '../targets/nbd/servers.ts';
import { type Cluster, startCluster } from './cluster.ts';

const skip = noDriver || (run('command -v ceph-osd').status === 0 ? false : 'no Ceph here: npm run test:ceph');
const IMAGE = 'rbd/disk';
const SOCKET = '/run/ceph-nbd.sock';
const DEVICE = { target: 'nbd', targetOptions: { uri: `nbd+unix:///disk?socket=${SOCKET}` } };
const MOUNT = '/mnt/ceph';
/** 512 blocks of 64 KiB lie in eight objects, so both OSDs are asked. */
const BLOCKS = 512;
/** With a pause after each request, a client leaves processor time for a Ceph that is emulated. */
const BLOCK = ['--block', '65536', '--pause', '1000'];
/** A server that was killed has a lock on the image, which Ceph takes from it after 30 s of silence. */
const OUTAGE_SECONDS = 110;

describe('ceph', { skip, timeout: 1_200_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  let cluster: Cluster;
  let server: Program;

  before(async () => {
    sh(`mkdir -p ${MOUNT}`);
    cluster = await startCluster();
    sh(`rbd create --size 256M ${IMAGE} 2>&1`);
    server = await serveImage();
  });
  after(async () => {
    await server?.kill();
    await cluster?.stop();
  });

  test('fio finds its data, the image has it, and a discard gives the space back', { skip: onlyLong }, async () => {
    await withDevice(DEVICE, ({ path }) => {
      // Two objects of the image.
      verify(path, '--size=8M');
      sh(
        `cmp <(dd if=${path} bs=1M count=8 iflag=direct status=none) <(rbd export --no-progress ${IMAGE} - 2> /dev/null | head -c 8M)`,
      );
      assert.ok(objects() > 0, 'the image has objects');
      sh(`blkdiscard ${path}`);
      assert.equal(objects(), 0, 'no object is left');
    });
  });

  test('a file system is made, mounted, filled with verified data, and is whole', { skip: onlyLong }, async () => {
    await withDevice(DEVICE, ({ path }) => {
      sh(`mkfs.ext4 -q ${path} && mount ${path} ${MOUNT} && cp -r src/targets ${MOUNT}`);
      const check = '--verify=crc32c --do_verify=1 --verify_state_save=0 --verify_fatal=1';
      sh(
        `fio --name=v --filename=${MOUNT}/fio --direct=1 --ioengine=io_uring --rw=randwrite --bs=64k --size=4M --iodepth=8 ${check}`,
      );
      sh(
        `umount ${MOUNT} && mount ${path} ${MOUNT} && diff -r src/targets ${MOUNT}/targets && umount ${MOUNT} && fsck.ext4 -fn ${path}`,
      );
      sh(`blkdiscard ${path}`);
    });
  });

  test(`an OSD is killed${LONG ? ' and started again' : ''}: requests wait, and none fails`, async (t) => {
    await withClient(async (id) => {
      await pausing(t, 'one of two OSDs killed', id, () => cluster.killOsds(1));
      // An emulated OSD takes two minutes to start. The tests behind this one are of the long form, too.
      if (!LONG) return;
      await cluster.startOsds(1);
      await flows(id);
    });
  });

  test('both OSDs are killed and started again: requests wait, and none fails', { skip: onlyLong }, async (t) => {
    await withClient(async (id) => {
      await pausing(t, 'both OSDs killed and started again', id, async () => {
        await cluster.killOsds(0, 1);
        await stalls(id);
        await cluster.startOsds(0, 1);
      });
    });
  });

  test('the NBD server is killed and started again: requests wait, and none fails', { skip: onlyLong }, async (t) => {
    await withClient(async (id) => {
      await pausing(t, 'the NBD server killed and started again', id, async () => {
        await server.kill();
        server = await serveImage();
      });
      const { connections } = await describeDevice(id);
      assert.ok(connections?.every(({ state, reconnects }) => state === 'up' && reconnects > 0));
    });
  });

  test("qemu-nbd as the device's own program: it is started again after it was killed", {
    skip: onlyLong,
  }, async () => {
    const program = `qemu-nbd --discard=unmap --cache=none -f raw rbd:${IMAGE}`;
    await withDevice({ target: 'nbd', targetOptions: { program, directory: '/' } }, ({ id, path }) => {
      verify(path, '--size=2M');
      sh(`pkill -KILL -f '^qemu-nbd .*/run/ublkts/${id}.program'`);
      verify(path, '--size=2M');
    });
  });

  test('an image that has grown: the server is started again, and update_size makes the device larger', {
    skip: onlyLong,
  }, async () => {
    await withDevice(DEVICE, async ({ id, path }) => {
      sh(`rbd resize --no-progress --size 320M ${IMAGE}`);
      shFails(`ublkts update_size -n ${id} -s 320M`, /has 268435456 bytes, less than 335544320/);
      await server.kill();
      server = await serveImage();
      sh(`ublkts update_size -n ${id} -s 320M`);
      assert.equal(sh(`blockdev --getsize64 ${path}`), String(320 << 20));
      // Up to 258M: behind the end that the image had.
      verify(path, '--offset=250M --size=8M');
    });
  });
});

async function serveImage(): Promise<Program> {
  const options = ['--persistent', '--shared=0', '--discard=unmap', '--cache=none', '-f', 'raw', '-x', 'disk'];
  return startServer(['qemu-nbd', ...options, '-k', SOCKET, `rbd:${IMAGE}`], SOCKET);
}

/** Objects of the pool that hold data of the image. */
function objects(): number {
  return Number(sh('rados -p rbd ls | grep -c ^rbd_data || true'));
}

/** Runs `use` on a device that a verifying client writes and reads. No request of the client may fail, nor find wrong data. */
async function withClient(use: (id: number) => Promise<void>): Promise<void> {
  await withDevice(DEVICE, async ({ id, path }) => {
    // The client takes what it has not written for zeroes.
    sh(`blkdiscard ${path}`);
    const client: Verifier = await startVerifier(path, BLOCKS, BLOCK);
    try {
      await flows(id);
      await use(id);
      await sleep(1000);
    } catch (error) {
      client.kill();
      throw error;
    }
    const { writes, reads, failures, wrong } = await client.stop();
    assert.deepEqual({ failures, wrong }, { failures: [], wrong: [] });
    assert.ok(writes > 50 && reads > 50, `${writes} writes, ${reads} reads`);
  });
}

/** Lets something happen, waits until requests are answered again, and reports the longest time in which none was. */
async function pausing(t: TestContext, what: string, id: number, happen: () => Promise<void>): Promise<void> {
  let longest = 0;
  const over = new AbortController();
  const watch = (async () => {
    let answered = await requestsOf(id);
    let since = performance.now();
    while (!over.signal.aborted) {
      await sleep(50);
      const now = await requestsOf(id);
      longest = Math.max(longest, performance.now() - since);
      if (now === answered) continue;
      answered = now;
      since = performance.now();
    }
  })();
  try {
    await happen();
    await flows(id);
  } finally {
    over.abort();
    await watch;
  }
  t.diagnostic(`${what}: the longest pause was ${(longest / 1000).toFixed(1)} s`);
}

/** Waits until a good number of further requests has been answered. */
async function flows(id: number): Promise<void> {
  const before = await requestsOf(id);
  await until('requests are answered', async () => (await requestsOf(id)) > before + 100, OUTAGE_SECONDS);
}

/** Waits until no request has been answered for a while, although some wait. */
async function stalls(id: number): Promise<void> {
  await until(
    'all requests wait',
    async () => {
      const before = await requestsOf(id);
      await sleep(2000);
      const { queues } = await describeDevice(id);
      return (await requestsOf(id)) === before && queues.some(({ in_flight }) => (in_flight ?? 0) > 0);
    },
    OUTAGE_SECONDS,
  );
}
