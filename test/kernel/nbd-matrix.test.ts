/**
 * Data over NBD by checksum: in blocks from a sector to 1 MiB, at depths from 1 to 128, over unix sockets and TCP, on one
 * and on four connections (two in batches with registered buffers), in memory of fio's own and in shared memory. Two
 * combinations are always tried. UBLKTS_LONG=1 tries all of them, with every data path, and two file systems.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Program, startServer } from '../targets/nbd/servers.ts';
import { sealedMemory } from '../../tools/guest/sealed-memory.ts';
import { describeDevice, leavesNothingBehind, sh, skip, verify, withDevice } from './guest.ts';
import { LONG } from './support/long.ts';

const FOLDER = '/dev/shm/nbd';
const SOCKET = `${FOLDER}/socket`;
const PID_FILE = `${FOLDER}/pid`;
const PORT = 10_811;
const MOUNT = '/mnt/nbd';
const MiB = 1 << 20;

type Transport = keyof typeof SERVERS;

/** How nbdkit listens, what tells that it does, and the URI. */
const SERVERS = {
  unix: { words: ['-U', SOCKET], listens: SOCKET, uri: `nbd+unix:///?socket=${SOCKET}` },
  tcp: { words: ['-p', String(PORT), '-P', PID_FILE], listens: PID_FILE, uri: `nbd://127.0.0.1:${PORT}` },
} as const;

const PATHS = ['copy', 'get_data', 'user_copy', 'auto_zc', 'batch+copy', 'batch+user_copy', 'batch+auto_zc'] as const;

const CELLS = LONG
  ? (['unix', 'tcp'] as const).flatMap((transport) =>
      [1, 4].flatMap((connections) =>
        PATHS.flatMap((dataPath) => [false, true].map((shared) => ({ transport, connections, dataPath, shared }))),
      ),
    )
  : ([
      { transport: 'tcp', connections: 4, dataPath: 'batch+user_copy', shared: false },
      { transport: 'unix', connections: 1, dataPath: 'copy', shared: true },
    ] as const);

/** The depth of fio, and how many MiB it writes and reads. */
const DEPTHS = LONG
  ? ([
      [1, 1],
      [8, 4],
      [128, 8],
    ] as const)
  : ([[128, 4]] as const);
const WRITTEN_BYTES = DEPTHS.reduce((sum, [, size]) => sum + size * MiB, 0);
/** What the requests of fio need at most, and what it rounds up. */
const MEMORY_BYTES = 129 * MiB;

/** How a file system is made, and how it is checked. */
const FILE_SYSTEMS = [
  ['ext4', 'mkfs.ext4 -q', 'fsck.ext4 -fn'],
  ['xfs', 'mkfs.xfs -q', 'xfs_repair -n'],
] as const;

describe('data over NBD', { skip, timeout: 1_800_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(`mkdir -p ${FOLDER} ${MOUNT}`);

  for (const { transport, connections, dataPath, shared } of CELLS) {
    const words = `${transport}, ${connections} connections, ${dataPath}${shared ? ', shared memory' : ''}`;
    test(`${words}: data written is data read`, async () => {
      const memory = shared ? await sealedMemory(MEMORY_BYTES) : null;
      const buffers =
        memory === null ? {} : ({ features: ['SHMEM_ZC'], buffers: [{ path: memory.path, readOnly: false }] } as const);
      const device = { target: 'nbd', targetOptions: { uri: SERVERS[transport].uri }, dataPath, ...buffers };
      await serving(transport, 'memory 64M', () =>
        withDevice({ ...device, ...threadsOf(connections, dataPath) }, async ({ id, path, queues, ...report }) => {
          const threads = new Set(queues.flatMap(({ tids }) => tids)).size;
          assert.equal(report.connections?.length, threads);
          if (dataPath !== 'batch+auto_zc') assert.equal(threads, connections);
          const own = memory === null ? '' : `--mem=mmapshared:${memory.path}`;
          for (const [depth, size] of DEPTHS) verify(path, `--size=${size}M --iodepth=${depth} ${own}`);
          const matched = (await describeDevice(id)).io?.matched.bytes ?? 0;
          assert.ok(!shared || matched >= WRITTEN_BYTES, `${matched} bytes matched`);
        }),
      );
      memory?.release();
    });
  }

  for (const [fs, make, check] of LONG ? FILE_SYSTEMS : []) {
    for (const dataPath of ['copy', 'auto_zc']) {
      test(`${dataPath}: ${fs} is made, filled and checked`, async () => {
        await serving('unix', 'memory 320M', () =>
          withDevice({ target: 'nbd', targetOptions: { uri: SERVERS.unix.uri }, dataPath }, ({ path }) => {
            sh(`${make} ${path} && mount ${path} ${MOUNT} && head -c 8M /dev/urandom > ${FOLDER}/data`);
            // The last copy finds the file system full.
            sh(
              `for ((i = 0; i < 100; i++)); do cp ${FOLDER}/data ${MOUNT}/$i || break; done; test $i -gt 20 -a $i -lt 100`,
            );
            sh(`rm ${MOUNT}/$(ls ${MOUNT} | sort -n | tail -1); sync; umount ${MOUNT}; mount ${path} ${MOUNT}`);
            sh(
              `for f in ${MOUNT}/[0-9]*; do cmp $f ${FOLDER}/data; done; rm ${MOUNT}/1?; fstrim ${MOUNT}; umount ${MOUNT}`,
            );
            sh(`${check} ${path}`);
          }),
        );
      });
    }
  }
});

/** A thread has a connection, and there may be fewer CPUs, of which each has a queue at most. */
function threadsOf(connections: number, dataPath: string) {
  if (connections === 1) return { queues: 1 };
  // In batches, no two threads share the registered buffers of a queue.
  if (dataPath === 'batch+auto_zc') return { queues: 2 };
  return { queues: 2, threads: connections, perIoTasks: !dataPath.startsWith('batch+') };
}

async function serving(transport: Transport, plugin: string, use: () => Promise<void>): Promise<void> {
  const { words, listens } = SERVERS[transport];
  const server: Program = await startServer(['nbdkit', '-f', ...words, ...plugin.split(' ')], listens);
  try {
    await use();
  } finally {
    await server.kill();
  }
}
