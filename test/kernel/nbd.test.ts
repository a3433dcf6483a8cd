/** The target nbd on a real driver, with nbdkit, qemu-nbd, and a server that breaks the protocol. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import type { ConnectionReport } from '../../src/device/report/report.ts';
import { ADD_DEFAULTS } from '../../src/spec/options.ts';
import { NBD_CMD_READ } from '../../src/targets/nbd/protocol/numbers.ts';
import { encodeSimpleReply } from '../targets/nbd/server-side.ts';
import { startVerifier } from '../../tools/guest/start-verifier.ts';
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
import { requireReckonedDescriptors } from './support/descriptors.ts';
import { until } from './support/devices.ts';
import { library } from './support/library.ts';
import { KILLS } from './support/kills.ts';
import { hostileServer, type Lie, startServer } from '../targets/nbd/servers.ts';
import { LONG, onlyLong } from './support/long.ts';
import { blankDisk, DISK, FOLDER, serving, SOCKET, UNIX, URI } from './support/nbd-disk.ts';

const PATHS = LONG
  ? ['copy', 'get_data', 'user_copy', 'auto_zc', 'batch+copy', 'batch+user_copy', 'batch+auto_zc']
  : ['copy', 'batch+auto_zc'];

describe('nbd', { skip, timeout: 900_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(`mkdir -p ${FOLDER} /mnt/nbd`);
  blankDisk();

  test('over nbdkit, on every data path: the data is where it belongs', async () => {
    await serving([...UNIX, 'file', DISK], async () => {
      for (const dataPath of PATHS) {
        await withDevice({ target: 'nbd', targetOptions: { uri: URI }, dataPath }, ({ id, path, queues }) => {
          requireReckonedDescriptors(id);
          verify(path, '--size=2M');
          sh(`cmp -n 4M ${path} ${DISK}`);
          assert.equal(new Set(queues.flatMap(({ tids }) => tids)).size, queues.length, `threads of device ${id}`);
        });
      }
    });
  });

  test('reads among many writes, with data in registered buffers: the data is where it belongs, on one connection', async () => {
    await serving([...UNIX, 'memory', '16M'], async () => {
      const spec = { target: 'nbd', targetOptions: { uri: URI }, dataPath: 'auto_zc', queues: 1 } as const;
      await withDevice(spec, async ({ id, path }) => {
        for (const part of [10, 50]) {
          const mix = `--rw=randrw --rwmixread=${part} --bsrange=512-16k --size=4M --iodepth=64 --verify_backlog=32`;
          verify(path, mix);
        }
        assert.ok((await connectionsOf(id)).every(({ state, reconnects }) => state === 'up' && reconnects === 0));
      });
    });
  });

  test('over qemu-nbd and TCP, an image with one connection: one thread, a file system, and holes that are not sent', {
    skip: onlyLong,
  }, async () => {
    sh(`qemu-img create -q -f qcow2 ${FOLDER}/image 64M`);
    const port = 10_810;
    const qemu = ['qemu-nbd', '-t', '-f', 'qcow2', '--discard=unmap', '-x', 'disk', '-p', String(port)];
    const server = await startServer([...qemu, `--pid-file=${SOCKET}`, `${FOLDER}/image`], SOCKET);
    try {
      const uri = `nbd://localhost:${port}/disk`;
      await withDevice({ target: 'nbd', targetOptions: { uri } }, ({ path, queues, target }) => {
        assert.equal(new Set(queues.flatMap(({ tids }) => tids)).size, 1);
        assert.equal(target?.options['uri'], uri);
        verify(path, '--size=2M');
        sh(`blkdiscard ${path}`);
      });
      await withDevice({ target: 'nbd', targetOptions: { uri, structured_replies: 'yes' } }, ({ path }) => {
        sh(`mkfs.ext4 -q ${path} && mount ${path} /mnt/nbd && cp -r src /mnt/nbd && umount /mnt/nbd`);
        sh(`mount ${path} /mnt/nbd && diff -r src /mnt/nbd/src && umount /mnt/nbd && fsck.ext4 -fn ${path}`);
      });
    } finally {
      await server.kill();
    }
  });

  test('flush, FUA, discard and zeroes reach the server', async () => {
    const log = `${FOLDER}/log`;
    await serving([...UNIX, '--filter=log', 'file', DISK, `logfile=${log}`], async () => {
      await withDevice({ target: 'nbd', targetOptions: { uri: URI } }, ({ path }) => {
        sh(`dd if=/dev/urandom of=${path} bs=1M count=8 oflag=direct status=none`);
        sh(`dd if=/dev/zero of=${path} bs=4k count=3 seek=100 oflag=direct,dsync status=none`);
        sh(`blkdiscard -o 1M -l 1M ${path}; blkdiscard -z -o 4M -l 1M ${path}; sync ${path}`);
      });
      const lines = readFileSync(log, 'latin1').split('\n');
      const count = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length;
      assert.equal(count(/ Write .*fua=1/), 3, 'writes with FUA');
      assert.ok(count(/ Flush /) > 0, 'flushes');
      assert.ok(count(/ Trim .*offset=0x100000 count=0x100000/) === 1, 'discards');
      assert.ok(count(/ Zero .*offset=0x400000 count=0x100000/) === 1, 'zeroes');
      const data = readFileSync(DISK);
      assert.ok(data.subarray(4 << 20, 5 << 20).every((byte) => byte === 0));
      assert.ok(!data.subarray(2 << 20, 3 << 20).every((byte) => byte === 0));
    });
  });

  test('an export that has grown: update_size asks the server, and what lies behind the old end can be used', async () => {
    const file = `${FOLDER}/grows`;
    sh(`truncate -s 4M ${file}`);
    const server = await startServer([...UNIX, 'file', file], SOCKET);
    try {
      await withDevice({ target: 'nbd', targetOptions: { uri: URI } }, async ({ id, path }) => {
        shFails(`ublkts update_size -n ${id} -s 8M`, /has 4194304 bytes, less than 8388608/);
        sh(`truncate -s 8M ${file} && ublkts update_size -n ${id} -s 8M`);
        verify(path, '--size=2M --offset=3M');
        sh(`cmp ${path} ${file}`);
        await server.kill();
        const outgrown = await startServer([...UNIX, 'memory', '6M'], SOCKET);
        await until('the size is noticed', () => /has 6291456 bytes, and the device has 8388608/.test(logOf(id)), 60);
        await outgrown.kill();
        await serving([...UNIX, 'file', file], () => void sh(`cmp ${path} ${file}`));
      });
    } finally {
      await server.kill();
    }
  });

  test('what is less than a block at the end of an export is left out, and add says so once', async () => {
    sh(`truncate -s 1000 ${FOLDER}/odd`);
    const { id, size_bytes, notes } = await library.addDevice({
      target: 'nbd',
      targetOptions: { program: `nbdkit file ${FOLDER}/odd` },
    });
    assert.equal(size_bytes, 512);
    assert.equal(notes.filter((note) => note.includes('the last 488 bytes are left out')).length, 1, notes.join());
    await library.deleteDevice(id);
  });

  test('errors of the server are those of the device', async () => {
    const errors = ['--filter=error', 'memory', '1M', 'error-pwrite=ENOSPC', 'error-pwrite-rate=100%'];
    await serving([...UNIX, ...errors], async () => {
      await withDevice({ target: 'nbd', targetOptions: { uri: URI } }, ({ path }) => {
        shFails(`dd if=/dev/zero of=${path} bs=4k count=1 oflag=direct`, /No space left on device/);
      });
    });
  });

  // Without UBLKTS_LONG=1 nbd-kills.test.ts alone kills a server under fio.
  for (const dataPath of LONG ? ['copy', 'auto_zc'] : []) {
    test(`${dataPath}: the server killed and started again ${KILLS} times: no error, and no acknowledged write is lost`, async () => {
      blankDisk();
      let server = await startServer([...UNIX, 'file', DISK], SOCKET);
      try {
        await withDevice({ target: 'nbd', targetOptions: { uri: URI }, dataPath }, async ({ id, path }) => {
          const verifier = await startVerifier(path, 512);
          await until(
            'the client has written',
            async () => ((await describeDevice(id)).connections?.[0]?.sent_bytes ?? 0) > 1 << 20,
          );
          for (let kill = 0; kill < KILLS; kill++) {
            await sleep(700);
            await server.kill();
            await sleep(300);
            server = await startServer([...UNIX, 'file', DISK], SOCKET);
            await until('the connections are back', async () => (await connectionsOf(id)).every(isBackFrom(kill)), 60);
          }
          await sleep(500);
          const { writes, reads, failures, wrong } = await verifier.stop();
          assert.deepEqual({ failures, wrong }, { failures: [], wrong: [] });
          assert.ok(writes > 50 && reads > 50, `${writes} writes, ${reads} reads`);
          sh(`cmp ${path} ${DISK}`);
        });
      } finally {
        await server.kill();
      }
    });
  }

  test('with --reconnect_delay requests fail when it is over, and no longer when the server is back', {
    skip: onlyLong,
  }, async () => {
    const server = await startServer([...UNIX, 'file', DISK], SOCKET);
    const targetOptions = { uri: URI, reconnect_delay: '1' };
    await withDevice({ target: 'nbd', targetOptions, queues: 1 }, async ({ id, path }) => {
      const read = `dd if=${path} of=/dev/null bs=4k count=1 iflag=direct`;
      const monitor = await startMonitor(id);
      await server.kill();
      const began = performance.now();
      shFails(read, /Input\/output error/);
      assert.ok(performance.now() - began > 500, 'the request waited');
      shFails(read, /Input\/output error/);
      const { connections, last_error } = await describeDevice(id);
      assert.deepEqual(
        connections?.map(({ thread, state }) => [thread, state]),
        [[0, 'failing']],
      );
      assert.match(
        last_error ?? '',
        /^its connection to the server of the target has been lost for \d+ s: requests fail$/,
      );
      assert.match(
        sh(`ublkts monitor --once -n ${id}`),
        /"trouble":"its connection to .* lost for \d+ s: requests fail"/,
      );
      assert.match(sh(`ublkts metrics -n ${id}`), /^ublk_connection_up\{device="ublkb\d+",connection="0"\} 0$/m);
      const small = await startServer([...UNIX, 'memory', '1M'], SOCKET);
      await until('the wrong server is noticed', () => /has 1048576 bytes, and the device has/.test(logOf(id)), 60);
      await small.kill();
      await serving([...UNIX, 'file', DISK], async () => {
        await until('requests succeed', () => run(read).status === 0, 60);
        await until('the monitor has told it', () => monitor.events().includes('connection_back'));
      });
      const told = monitor.events();
      await monitor.end();
      assert.deepEqual(told.slice(0, 3), ['connection_lost', 'connection_lost', 'connection_back']);
    });
  });

  test('del says what it waits for while the server is away, and is done when the server is back', async () => {
    const server = await startServer([...UNIX, 'file', DISK], SOCKET);
    const options = { ...ADD_DEFAULTS, target: 'nbd', targetOptions: { uri: URI }, queues: 1 };
    const { id, path } = await library.addDevice(options);
    await blockDevice(path);
    await server.kill();
    const reader = spawn('dd', [`if=${path}`, 'of=/dev/null', 'bs=4k', 'count=1', 'iflag=direct', 'status=none']);
    const ended = once(reader, 'exit');
    await until('the read waits', async () => (await describeDevice(id)).queues[0]?.in_flight === 1);
    await assert.rejects(library.deleteDevice(id, { timeoutMs: 2000 }), (error: Error & { hint?: string }) => {
      assert.match(error.message, /has sent to nbd\+unix:.*, or holds until that is back; it is deleted then$/);
      assert.match(error.hint ?? '', /^start that server again; or `kill -9 \d+` ends the device's server/);
      return true;
    });
    await serving([...UNIX, 'file', DISK], async () => {
      assert.deepEqual(await ended, [0, null]);
      await until('the device is gone', async () => !(await library.listDevices()).some((one) => one.id === id), 60);
    });
  });

  test('an export is served by one device, however its URI is written and whoever is first', {
    skip: onlyLong,
  }, async () => {
    const link = `nbd+unix:///?socket=${FOLDER}/link`;
    sh(`ln -sfn socket ${FOLDER}/link`);
    await serving([...UNIX, 'memory', '1M'], async () => {
      const { pid } = await library.startServer({ name: 'nbd' });
      for (const server of LONG ? [null, null, 'nbd'] : ['nbd']) {
        const both = [URI, link].map((uri, at) =>
          library.addDevice({ target: 'nbd', targetOptions: { uri }, queues: 1, server: at === 0 ? server : null }),
        );
        const settled = await Promise.allSettled(both);
        const failures = settled.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
        assert.equal(failures.length, 1, failures.join());
        assert.match(failures[0] ?? '', /cannot use export nbd\+unix:.*: device \d+ \(nbd, server pid .*\) serves it/);
        shFails(`ublkts add -t nbd '${link}'`, /cannot use export .*hint: .*\(the export stays\).*another export/s);
        await library.deleteAllDevices();
      }
      process.kill(pid, 'SIGTERM');
      const shared = { target: 'nbd', share: true, queues: 1 };
      await library.addDevice({ ...shared, targetOptions: { uri: URI } });
      await library.addDevice({ ...shared, targetOptions: { uri: link } });
      shFails(`ublkts add -t nbd '${URI}'`, /cannot use export/);
      await library.deleteAllDevices();
    });
    const tcp = await startServer(['nbdkit', '-f', '-p', '10811', `--pidfile=${SOCKET}`, 'memory', '1M'], SOCKET);
    try {
      await withDevice({ target: 'nbd', targetOptions: { uri: 'nbd://127.0.0.1:10811/' } }, () => {
        shFails('ublkts add -t nbd NBD://LOCALHOST:10811', /cannot use export/);
      });
    } finally {
      await tcp.kill();
    }
  });

  // test/targets/nbd/queue.test.ts tells all lies to the path `copy`.
  for (const dataPath of LONG ? ['copy', 'auto_zc'] : []) {
    test(`${dataPath}: a server that lies loses its connection, and the requests are served by the next`, async () => {
      const bytes = 4 << 20;
      const server = await hostileServer(SOCKET, bytes);
      try {
        // A message of writes from registered buffers fills the ring of so few slots.
        const options = { target: 'nbd', targetOptions: { uri: URI }, queues: 1, depth: 4, dataPath };
        await withDevice(options, async ({ id, path }) => {
          const image = `${FOLDER}/image`;
          const write = 'oflag=direct status=none';
          await beside(`head -c ${bytes} /dev/urandom > ${image} && dd if=${image} of=${path} bs=4M ${write}`);
          for (const [what, lie] of LIES) {
            const before = server.connections;
            let told = false;
            server.lie = (request, honest, socket) => {
              if (told || request.command !== NBD_CMD_READ) return honest;
              told = true;
              return lie(request, honest, socket);
            };
            await beside(`cmp <(dd if=${path} bs=64k iflag=direct status=none) ${image}`);
            assert.ok(told && server.connections > before, `${what}: the connection was made again`);
          }
          assert.equal((await describeDevice(id)).io?.errors, 0);
        });
      } finally {
        await server.close();
      }
    });
  }

  test('what is not there is reported before there is a device', async () => {
    shFails(`ublkts add -t nbd 'nbd+unix:///?socket=${FOLDER}/none'`, /cannot connect to .*No such file/);
    shFails('ublkts add -t nbd', /target nbd needs --uri/);
    shFails(`ublkts add -t nbd -z '${URI}'`, /reads and writes the bytes of requests/);
    shFails(
      `ublkts add -t nbd --auto_zc --structured_replies '${URI}'`,
      /--structured_replies and the data path auto_zc exclude each other/,
    );
    await serving([...UNIX, '-r', 'memory', '1M'], async () => {
      await withDevice({ target: 'nbd', targetOptions: { uri: URI } }, ({ path }) => {
        sh(`test "$(blockdev --getro ${path})" = 1`);
        shFails(`ublkts add -t nbd '${URI}'`, /cannot use export .*: device \d+ \(nbd, server pid \d+\) serves it/);
      });
    });
    assert.equal(sh('ublkts list'), '');
  });
});

/** What a server answers to one read; test/targets/nbd/queue.test.ts has the others. */
const LIES: readonly (readonly [what: string, lie: Lie])[] = [
  ['a reply to another use of the slot', ({ cookie }) => encodeSimpleReply(cookie ^ (1n << 33n))],
  ['half of the data', (_request, honest, socket) => ended(socket, honest.subarray(0, honest.length / 2))],
  ['a megabyte of noise', () => randomBytes(1 << 20)],
];

function ended(socket: { end: (bytes: Buffer) => void }, bytes: Buffer): Buffer {
  socket.end(bytes);
  return Buffer.alloc(0);
}

/** Runs a script that must succeed while this process goes on: it may have the server. */
async function beside(script: string): Promise<void> {
  await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script]);
}

/** A monitor, and the events of connections that it has told. It has looked once. */
async function startMonitor(id: number): Promise<{ events: () => string[]; end: () => Promise<void> }> {
  const file = `${FOLDER}/events`;
  const output = openSync(file, 'w');
  const words = ['monitor', '--json', '--interval', '0.2', '-n', String(id)];
  const child = spawn('ublkts', words, { stdio: ['ignore', output, 'inherit'] });
  closeSync(output);
  await until('the monitor looks', () => readFileSync(file, 'utf8').includes('\n'), 60);
  return {
    events: () => readFileSync(file, 'utf8').match(/(?<="event":")connection_\w+/g) ?? [],
    end: async () => {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

async function connectionsOf(id: number): Promise<readonly ConnectionReport[]> {
  return (await describeDevice(id)).connections ?? [];
}

/** Whether a connection was made again after each of so many outages, and one more. */
function isBackFrom(outages: number): (connection: ConnectionReport) => boolean {
  return ({ state, reconnects }) => state === 'up' && reconnects > outages;
}

function logOf(id: number): string {
  return readFileSync(`/run/ublkts/${id}.log`, 'utf8');
}
