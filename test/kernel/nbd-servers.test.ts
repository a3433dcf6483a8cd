/**
 * The target nbd with every NBD server of Debian, and with filters of nbdkit that behave in ways of which each is rare alone.
 * The shortest of them run always, and all with UBLKTS_LONG=1.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type Program, startServer } from '../targets/nbd/servers.ts';
import { describeDevice, leavesNothingBehind, run, sh, shFails, skip, verify, withDevice } from './guest.ts';
import { until } from './support/devices.ts';
import { onlyLong } from './support/long.ts';

const FOLDER = '/dev/shm/nbd-servers';
const SOCKET = `${FOLDER}/socket`;
const DISK = `${FOLDER}/disk`;
const URI = `nbd+unix:///?socket=${SOCKET}`;
const NBDKIT = ['nbdkit', '-f', '-U', SOCKET];

describe('NBD servers', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(`mkdir -p ${FOLDER} && truncate -s 64M ${DISK}`);

  test('nbd-server: data, flush, FUA and discards', { skip: onlyLong }, async () => {
    const config = `${FOLDER}/nbd-server.conf`;
    const section = `[disk]\n exportname = ${DISK}\n flush = true\n fua = true\n trim = true\n`;
    writeFileSync(config, `[generic]\n unixsock = ${SOCKET}\n${section}`);
    await serving(['nbd-server', '--nodaemon', '-C', config], async () => {
      const uri = `nbd+unix:///disk?socket=${SOCKET}`;
      await withDevice({ target: 'nbd', targetOptions: { uri } }, ({ path }) => {
        assert.equal(sh(`cat ${queueFile(path, 'write_cache')} ${queueFile(path, 'fua')}`), 'write back\n1');
        verify(path, '--size=2M');
        sh(`dd if=/dev/urandom of=${path} bs=64k count=4 oflag=direct,dsync status=none && cmp ${path} ${DISK}`);
        sh(`blkdiscard -l 1M ${path} && sync ${path} && cmp -n 1M ${DISK} /dev/zero`);
      });
    });
  });

  test('nbd-server: its exports have their sizes, and a device grows with its export', { skip: onlyLong }, async () => {
    const config = `${FOLDER}/nbd-server.conf`;
    const grows = `${FOLDER}/grows`;
    sh(`truncate -s 16M ${grows}`);
    writeFileSync(config, `[generic]\n unixsock = ${SOCKET}\n allowlist = true\n[grows]\n exportname = ${grows}\n`);
    await serving(['nbd-server', '--nodaemon', '-C', config], async () => {
      const uri = `nbd+unix:///grows?socket=${SOCKET}`;
      for (const asked of [uri, URI]) {
        const { exports } = JSON.parse(sh(`ublkts nbd-info --json '${asked}'`)) as {
          exports: { size_bytes: number }[];
        };
        assert.deepEqual(
          exports.map(({ size_bytes }) => size_bytes),
          [16 << 20],
        );
      }
      await withDevice({ target: 'nbd', targetOptions: { uri } }, ({ id, path }) => {
        sh(`truncate -s 20M ${grows}; ublkts update_size -n ${id} 20M`);
        assert.equal(sh(`blockdev --getsize64 ${path}`).trim(), String(20 << 20));
        verify(path, '--offset=16M --size=4M');
      });
    });
  });

  for (const format of ['raw', 'qcow2']) {
    test(`qemu-nbd, ${format}: data is in the image, and the image is whole`, { skip: onlyLong }, async () => {
      const image = `${FOLDER}/image`;
      sh(`qemu-img create -q -f ${format} ${image} 16M`);
      const options = ['--persistent', '--shared=0', '--discard=unmap', '-f', format, '-k', SOCKET];
      await serving(['qemu-nbd', ...options, image], async () => {
        await withDevice({ target: 'nbd', targetOptions: { uri: URI } }, ({ path }) => {
          verify(path, '--size=2M');
          sh(`sync ${path} && cmp <(dd if=${path} bs=1M iflag=direct status=none) <(nbdcopy '${URI}' -)`);
        });
      });
      if (format === 'qcow2') sh(`qemu-img check -q ${image}`);
    });
  }

  test('nbdkit blocksize-policy: every request keeps the block sizes of a strict server', async () => {
    const sizes = ['blocksize-minimum=4096', 'blocksize-preferred=64K', 'blocksize-maximum=256K'];
    const strict = ['--filter=blocksize-policy', 'memory', '64M', ...sizes, 'blocksize-error-policy=error'];
    await serving([...NBDKIT, ...strict], async () => {
      await withDevice({ target: 'nbd', targetOptions: { uri: URI } }, ({ path }) => {
        const names = ['logical_block_size', 'optimal_io_size', 'max_hw_sectors_kb'];
        assert.equal(sh(`cat ${names.map((name) => queueFile(path, name)).join(' ')}`), '4096\n65536\n256');
        verify(path, '--bsrange=4k-1M --blockalign=4k --size=3M');
      });
    });
  });

  test('nbdkit delay: replies of a server that takes its time belong to the right requests', {
    skip: onlyLong,
  }, async () => {
    await serving([...NBDKIT, '--filter=delay', 'memory', '64M', 'delay-read=20ms', 'delay-write=5ms'], async () => {
      await withDevice({ target: 'nbd', targetOptions: { uri: URI } }, ({ path }) => {
        const began = performance.now();
        sh(`dd if=${path} of=/dev/null bs=4k count=10 iflag=direct status=none`);
        assert.ok(performance.now() - began >= 200, 'each read takes its delay');
        verify(path, '--rw=randrw --size=1M --iodepth=64');
      });
    });
  });

  test('nbdkit error: some requests fail, and the connection lives', async () => {
    await serving([...NBDKIT, '--filter=error', 'memory', '64M', 'error=EIO', 'error-pread-rate=30%'], async () => {
      await withDevice({ target: 'nbd', targetOptions: { uri: URI } }, async ({ id, path }) => {
        const read = `dd if=${path} of=/dev/null bs=4k count=1 iflag=direct status=none`;
        const outcomes = Array.from({ length: 20 }, () => run(read).status === 0);
        assert.ok(outcomes.includes(true) && outcomes.includes(false), 'some reads fail');
        const { connections } = await describeDevice(id);
        assert.ok(connections?.every(({ state, reconnects }) => state === 'up' && reconnects === 0));
      });
    });
  });

  test('nbdkit evil: flipped bits are the data of the server, and whoever checks the data finds them', {
    skip: onlyLong,
  }, async () => {
    const bits = ['evil=cosmic-rays', 'evil-probability=1e-4', 'evil-seed=1'];
    await serving([...NBDKIT, '--filter=evil', 'memory', '64M', ...bits], async () => {
      await withDevice({ target: 'nbd', targetOptions: { uri: URI } }, async ({ id, path }) => {
        assert.throws(() => verify(path, '--size=1M'), /verify/);
        assert.equal((await describeDevice(id)).io?.errors, 0);
      });
    });
  });

  test('nbdkit exitwhen: a server that takes no more clients serves its last one, and ends with it', {
    skip: onlyLong,
  }, async () => {
    const file = `${FOLDER}/exit`;
    const server = [...NBDKIT, '--filter=exitwhen', 'memory', '64M', `exit-when-file-created=${file}`];
    await serving([...server, 'exit-when-poll=1'], async () => {
      await withDevice({ target: 'nbd', targetOptions: { uri: URI } }, async ({ path }) => {
        verify(path, '--size=1M');
        writeFileSync(file, '');
        await until('it takes no more clients', () => run(`ublkts nbd-info '${URI}'`).status !== 0);
        verify(path, '--size=1M');
      });
      await until('the server has ended', () => run('pgrep -x nbdkit').status !== 0);
    });
  });

  test('nbdkit without FUA, zeroes and discards: the kernel makes up for them', async () => {
    const log = `${FOLDER}/log`;
    const poor = ['--filter=log', '--filter=nozero', '--filter=fua', 'memory', '64M', `logfile=${log}`];
    await serving([...NBDKIT, ...poor], async () => {
      await withDevice({ target: 'nbd', targetOptions: { uri: URI } }, ({ path }) => {
        assert.equal(sh(`cat ${queueFile(path, 'fua')} ${queueFile(path, 'write_zeroes_max_bytes')}`), '0\n0');
        sh(`dd if=/dev/urandom of=${path} bs=1M count=2 oflag=direct,dsync status=none && blkdiscard -z -l 1M ${path}`);
        sh(`cmp -n 1M ${path} /dev/zero`);
      });
    });
    const lines = readFileSync(log, 'latin1');
    assert.match(lines, / Flush /);
    assert.doesNotMatch(lines, /fua=1| Zero /);
  });

  test('an oldstyle server is refused in words', async () => {
    await serving([...NBDKIT, '-o', 'memory', '1M'], async () => {
      shFails(`ublkts add -t nbd '${URI}'`, /it is an oldstyle server, which are not supported/);
    });
    assert.ok(!existsSync('/dev/ublkb0'));
  });
});

function queueFile(path: string, name: string): string {
  return `/sys/block/${path.replace('/dev/', '')}/queue/${name}`;
}

async function serving(words: readonly string[], use: () => Promise<void>): Promise<void> {
  const server: Program = await startServer(words, SOCKET);
  try {
    await use();
  } finally {
    await server.kill();
  }
}
