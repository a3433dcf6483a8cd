/** Shared memory on a real ublk driver: registered, seen, unregistered, and clients that lie. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { describe, test } from 'node:test';
import { relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { addSeals } from '../../src/native/libc/seals.ts';
import { connectUnix } from '../../src/native/libc/unix-socket.ts';
import { createMemfd, mapFile } from '../../src/native/memory.ts';
import { BUFFER_SLOTS } from '../../src/stats/layout.ts';
import { encodeRequest } from '../../src/protocol/buffer-requests.ts';
import { blockDevice, describeDevice, leavesNothingBehind, run, sh, shFails, skip, withDevice } from './guest.ts';
import { fioUntilStopped, inBackground } from './support/background.ts';
import { lockDevice } from '../../tools/guest/device-lock.ts';
import { closeAll, say } from '../../tools/guest/socket-clients.ts';
import { bufferOf, buffersOf, openFiles, until, withDisk } from './support/devices.ts';
import { library } from './support/library.ts';
import { LONG, onlyLong } from './support/long.ts';

const { addDevice, openDevice, registerBuffer, unregisterAllBuffers, unregisterBuffer } = library;

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDER = '/dev/shm/shared-memory';
const HUGE = '/mnt/shared-memory-huge';
const PAGE = 4096;
const MiB = 1 << 20;
const F_SEAL_SHRINK = 2;
const F_SEAL_WRITE = 8;
const T10DIF = { metadataSize: 8, capable: true, reftag: true, piOffset: 0, csumType: 't10dif', tagSize: 0 } as const;
const EINVAL = 22;
const EPERM = 1;
const EISDIR = 21;
const EBUSY = 16;
const EBADMSG = 74;
const ETIMEDOUT = 110;

describe('shared memory', { skip, timeout: 900_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(`mkdir -p ${FOLDER} ${HUGE}; echo 24 > /proc/sys/vm/nr_hugepages; mount -t hugetlbfs none ${HUGE}`);

  test("a client written in C for kublk's socket works unchanged, and all of its requests match", async () => {
    sh(`gcc -O2 -Wall -Werror -o /tmp/kublk-client ${ROOT}/test/fixtures/kublk-client.c`);
    const options = { target: 'loop', files: backing('disk'), features: ['SHMEM_ZC'] as const };
    await withDevice(options, async ({ id, path }) => {
      for (const expected of [0, 1]) {
        assert.equal(sh(`/tmp/kublk-client /run/ublk/ublkb${id}.sock ${path} ${MiB} 300`), String(expected));
        assert.equal((await bufferOf(id, expected)).matched.requests, 600);
        assert.equal((await bufferOf(id, expected)).matched.bytes, 600 * PAGE);
      }
      assert.equal(statSync(`/run/ublk/ublkb${id}.sock`).mode & 0o777, 0o600);
      assert.deepEqual(await unregisterAllBuffers(id), [0, 1]);
      await registerBuffer(id, { kind: 'memfd', bytes: PAGE, seal: true, readOnly: false });
      const { matched } = await bufferOf(id, 0);
      assert.deepEqual(matched, { requests: 0, bytes: 0 }, 'nothing of the buffer that had the index before');
    });
  });

  test('the example copies a file, and every one of its requests matches', { skip: onlyLong }, async () => {
    sh(`head -c ${3 * MiB + 1234} /dev/urandom > ${FOLDER}/source`);
    await withDevice({ target: 'loop', files: backing('disk'), features: ['SHMEM_ZC'] }, async ({ id, path }) => {
      await settled(id);
      const { io } = await describeDevice(id);
      const printed = sh(`cd ${ROOT}; node examples/shared-memory.ts ${path} ${FOLDER}/source`);
      // 13 pieces there and 13 back.
      const last = `buffer 0: 26 requests matched; device: ${io?.copied.requests} copied`;
      assert.equal(printed.split('\n').at(-1), last);
      assert.deepEqual(await buffersOf(id), [], 'released');
    });
  });

  const places = ['memfd', 'server', { path: relative('', `${HUGE}/client`) }] as const;
  for (const from of LONG ? places : places.slice(0, 1)) {
    const kind = typeof from === 'string' ? from : 'hugetlbfs';
    test(`the client library with memory from ${kind}: matched there, copied after its release`, async () => {
      await withDevice({ target: 'loop', files: backing('disk'), features: ['SHMEM_ZC'] }, async ({ id }) => {
        const disk = await openDevice(id);
        const region = await disk.allocate({ bytes: 4 * MiB, from });
        const [one, two] = [region.alloc(8 * PAGE), region.alloc(100)];
        assert.throws(() => region.alloc(4 * MiB), { code: 'ENOMEM' });
        one.fill('x');
        assert.equal(await disk.write(one, 0), one.length);
        one.fill(0);
        assert.equal(await disk.read(one, 0), one.length);
        assert.ok(one.every((byte) => byte === 120));
        assert.equal((await bufferOf(id, region.index)).matched.requests, 2);
        region.free(two);
        assert.throws(() => region.free(two), { code: 'EINVAL' });
        await region.release();
        assert.deepEqual(await buffersOf(id), []);
        assert.equal(one[0], 0, 'a buffer of a released region is harmless');
        const before = (await describeDevice(id)).io;
        await disk.read(one, 0);
        assert.equal(one[0], 120);
        const after = (await describeDevice(id)).io;
        assert.equal(after?.matched.requests, before?.matched.requests);
        assert.equal(after?.copied.requests, (before?.copied.requests ?? 0) + 1);
        await disk.close();
      });
    });
  }

  test('files on tmpfs and memfds have huge pages, and a request may lie in huge and small ones', async () => {
    const [file] = sharedFiles(1, 5 * MiB);
    const sources = [
      { kind: 'path', path: file! },
      { kind: 'memfd', bytes: 5 * MiB, seal: true },
    ] as const;
    await withDevice({ target: 'loop', files: backing('disk'), features: ['SHMEM_ZC'] }, async ({ id, path }) => {
      // Otherwise udev reads it whenever fio closes it, from other memory.
      const lock = await lockDevice(path);
      for (const source of sources) {
        const before = hugeShared();
        const { path: memory } = await registerBuffer(id, source);
        assert.equal(hugeShared() - before, 4 * MiB, source.kind);
        const { io } = await describeDevice(id);
        const job = '--rw=write --size=8M --bs=320k --iodepth=16 --verify=crc32c';
        sh(`fio --name=h --filename=${path} --direct=1 --ioengine=io_uring ${job} --mem=mmapshared:${memory}`);
        const after = (await describeDevice(id)).io;
        assert.ok((await bufferOf(id, 0)).matched.bytes >= 2 * 7 * MiB, 'written, and read for its verification');
        assert.deepEqual(after?.copied, io?.copied);
        await unregisterAllBuffers(id);
      }
      await lock.release();
    });
  });

  test('read-only: what is written matches, what is read does not', { skip: onlyLong }, async () => {
    const [file] = sharedFiles(1, MiB);
    await withDevice({ target: 'loop', files: backing('disk'), features: ['SHMEM_ZC'] }, async ({ id, path }) => {
      await registerBuffer(id, { kind: 'path', path: file!, readOnly: true });
      const fio = `fio --name=r --filename=${path} --direct=1 --ioengine=libaio --bs=4k --size=1M --mem=mmapshared:${file}`;
      sh(`${fio} --rw=write`);
      assert.equal((await bufferOf(id, 0)).matched.requests, 256);
      sh(`${fio} --rw=read`);
      assert.equal((await bufferOf(id, 0)).matched.requests, 256);
    });
  });

  test('a memfd that is sealed against writing registers read-only, and matches', async () => {
    await withDevice({ target: 'loop', files: backing('disk'), features: ['SHMEM_ZC'] }, async ({ id, path }) => {
      const memfd = createMemfd('sealed', 16 * PAGE);
      writeSync(memfd, Buffer.alloc(16 * PAGE, 'sealed'));
      addSeals(memfd, F_SEAL_WRITE, 'a memfd');
      assert.equal(await say(socketOf(id), Uint8Array.of(0), [memfd]), 0);
      assert.equal((await bufferOf(id, 0)).read_only, true);
      const memory = mapFile(memfd, 16 * PAGE, 'of a sealed memfd', { readOnly: true });
      await withDisk(path, async (disk) => {
        assert.equal(writeSync(disk, memory.bytes, 0, 16 * PAGE, 0), 16 * PAGE);
      });
      assert.equal((await bufferOf(id, 0)).matched.requests, 1);
      assert.equal(sh(`head -c 12 ${path}`), 'sealedsealed');
      memory.unmap();
      closeSync(memfd);
    });
  });

  test('writes that match are served in place with get_data, too', async () => {
    const [file] = sharedFiles(1, 2 * MiB);
    const options = { target: 'loop', files: backing('disk'), features: ['SHMEM_ZC', 'NEED_GET_DATA'] as const };
    await withDevice(options, async ({ id, path }) => {
      await registerBuffer(id, { kind: 'path', path: file!, readOnly: false });
      const mapped = `--mem=mmapshared:${file} --verify=crc32c`;
      sh(`fio --name=g --filename=${path} --direct=1 --rw=randwrite --bs=16k --size=1M ${mapped}`);
      assert.equal((await bufferOf(id, 0)).matched.requests, 2 * 64, 'written and verified');
    });
  });

  for (const batch of LONG ? [false, true] : [true]) {
    test(`integrity${batch ? ', in batches' : ''}: the metadata of requests that match is stored and read too`, async () => {
      const [data, metadata] = backing('data', 'metadata');
      sh(`fallocate -l 4M ${HUGE}/integrity`);
      const features = ['SHMEM_ZC', 'USER_COPY', ...(batch ? (['BATCH_IO'] as const) : [])] as const;
      const buffers = [{ path: `${HUGE}/integrity`, readOnly: false }];
      // A depth of 2: the buffers of metadata are used again and again.
      const options = { target: 'loop', files: [data!, metadata!], features, integrity: T10DIF, buffers, depth: 2 };
      await withDevice(options, async ({ id, path }) => {
        const job = (rw: string, ...more: string[]) =>
          sh(`fio --name=i --filename=${path} --direct=1 --rw=${rw} --bs=4k --size=512k ${more.join(' ')}`);
        const matching = `--mem=mmaphuge:${HUGE}/integrity`;
        job('write');
        job('randwrite', matching, '--verify=crc32c');
        job('read');
        assert.equal((await bufferOf(id, 0)).matched.requests, 2 * 128, 'written and verified');
        assert.equal((await describeDevice(id)).io?.errors, 0);
      });
      sh(`rm ${HUGE}/integrity`);
    });
  }

  for (const target of LONG ? (['loop', 'stripe'] as const) : (['stripe'] as const)) {
    const rounds = LONG ? 1000 : 10;
    test(`${target}: ${rounds} times registered or unregistered at random while fio verifies`, async () => {
      const files = target === 'loop' ? backing('disk') : backing('a', 'b');
      const paths = [`${HUGE}/fio`, ...sharedFiles(7, 64 * 1024)];
      sh(`fallocate -l 4M ${HUGE}/fio`);
      await withDevice({ target, files, features: ['SHMEM_ZC'] }, async ({ id, path }) => {
        const fio = fioUntilStopped(path, `--mem=mmaphuge:${HUGE}/fio`);
        const registered = new Map<number, string>();
        for (let round = 0; round < rounds; round++) {
          await registerOrUnregister(id, paths, registered);
          const listed = (await buffersOf(id)).map(({ index, source }) => [index, source]);
          assert.deepEqual(new Map(listed as [number, string][]), registered);
        }
        // Both ways, whatever chance made of it.
        for (const index of registered.keys()) await unregisterBuffer(id, index);
        const copied = await tally(id, 'copied');
        await until('requests are copied', async () => (await tally(id, 'copied')) > copied);
        await registerBuffer(id, { kind: 'path', path: paths[0]!, readOnly: false });
        await until('requests match', async () => (await bufferOf(id, 0)).matched.requests > 0);
        await fio.stop();
        assert.equal((await describeDevice(id)).io?.errors, 0);
      });
    });
  }

  test('64 buffers at once, one of them large', { skip: onlyLong }, async () => {
    const large = LONG ? 2048 * MiB : 256 * MiB;
    await withDevice({ target: 'null', features: ['SHMEM_ZC'] }, async ({ id, path }) => {
      const files = sharedFiles(63, PAGE);
      for (const [index, file] of files.entries()) {
        assert.equal((await registerBuffer(id, { kind: 'path', path: file, readOnly: false })).index, index);
      }
      const memfd = await registerBuffer(id, { kind: 'memfd', bytes: large, seal: true, readOnly: false });
      assert.equal((await bufferOf(id, 63)).len, large);
      const fd = openSync(memfd.path, constants.O_RDWR);
      const memory = mapFile(fd, large, 'of a large buffer');
      await withDisk(path, async (disk) => {
        writeSync(disk, memory.bytes, large - PAGE, PAGE, 0);
      });
      memory.unmap();
      closeSync(fd);
      assert.deepEqual((await bufferOf(id, 63)).matched, { requests: 1, bytes: PAGE });
      for (const [index, file] of files.entries()) {
        sh(`fio --name=x --filename=${path} --direct=1 --rw=write --bs=4k --size=4k --mem=mmapshared:${file}`);
        assert.equal((await bufferOf(id, index)).matched.requests, 1);
        if (!LONG && index === 3) break;
      }
      assert.equal((await unregisterAllBuffers(id)).length, 64);
    });
  });

  test('one buffer more than there can be is refused, and I/O in it is copied as before', {
    skip: onlyLong,
  }, async () => {
    const [file] = sharedFiles(1, MiB);
    await withDevice({ target: 'loop', files: backing('disk'), features: ['SHMEM_ZC'] }, async ({ id, path }) => {
      for (let i = 0; i < BUFFER_SLOTS; i++) await registerBuffer(id, { kind: 'memfd', bytes: PAGE, seal: true });
      const fio = fioUntilStopped(path, `--mem=mmapshared:${file}`);
      for (let tries = 0; tries < 10; tries++) {
        await assert.rejects(registerBuffer(id, { kind: 'path', path: file! }), { code: 'ENOSPC', message: /256/ });
      }
      await fio.stop();
      assert.equal((await describeDevice(id)).io?.errors, 0);
      await unregisterBuffer(id, 100);
      assert.equal((await registerBuffer(id, { kind: 'path', path: file! })).index, 100);
    });
  });

  test('what cannot be registered is refused in words, and the device serves on', async () => {
    const [file] = sharedFiles(1, MiB);
    await withDevice({ target: 'null', features: ['SHMEM_ZC'] }, async ({ id, path }) => {
      const ask = (source: string) => registerBuffer(id, { kind: 'path', path: source, readOnly: false });
      await ask(file!);
      await assert.rejects(ask(file!), { code: 'EEXIST', kind: 'busy' });
      await assert.rejects(ask(FOLDER), { code: 'EISDIR' });
      await assert.rejects(ask('/dev/null'), { code: 'EINVAL' });
      const inSysfs = '/sys/kernel/mm/transparent_hugepage/enabled';
      await assert.rejects(ask(inSysfs), { code: 'ENODEV', message: /its file system has no memory to share/ });
      await assert.rejects(ask(`${FOLDER}/not-there`), { code: 'ENOENT' });
      const own = `/run/ublkts/${id}.stats`;
      await assert.rejects(ask(own), { code: 'EINVAL', message: /it is a file of ublkts itself/ });
      sh(`ln -s ${own} ${FOLDER}/link; install -m 644 ${ROOT}/test/fixtures/in-a-file.ts ${FOLDER}/`);
      for (const target of ['loop', `${FOLDER}/in-a-file.ts`]) {
        for (const name of [own, `${FOLDER}/link`]) {
          await assert.rejects(addDevice({ target, files: [name] }), { message: /it is a file of ublkts itself/ });
        }
      }
      sh(`: > ${FOLDER}/empty; head -c 5000 /dev/zero > ${FOLDER}/odd; mkfifo ${FOLDER}/fifo`);
      await assert.rejects(ask(`${FOLDER}/empty`), { code: 'EINVAL', message: /it is empty/ });
      await assert.rejects(ask(`${FOLDER}/odd`), { code: 'EINVAL', message: /whole number of pages/ });
      await assert.rejects(ask(`${FOLDER}/fifo`), { code: 'EINVAL', message: /not a regular file/ });
      const memfd = (bytes: number) => registerBuffer(id, { kind: 'memfd', bytes, seal: false, readOnly: false });
      await assert.rejects(memfd(5 * 1024 * MiB), { code: 'E2BIG' });
      await assert.rejects(memfd(4096 * MiB), { code: 'ENOMEM' });
      await assert.rejects(unregisterBuffer(id, 1), { code: 'ENOENT' });
      const small = `${FOLDER}/small`;
      sh(
        `mkdir ${small}; mount -t tmpfs -o size=1M none ${small}; truncate -s 2M ${small}/f; truncate -s 1G ${HUGE}/f`,
      );
      await assert.rejects(ask(`${small}/f`), { code: 'ENOSPC', message: /2097152 bytes more, and .* 1048576 free/ });
      await assert.rejects(ask(`${HUGE}/f`), { code: 'ENOMEM', message: /it needs 512 huge pages of 2M more/ });
      assert.equal(statSync(`${small}/f`).blocks, 0, 'nothing was filled');
      sh(`umount ${small}; rm -r ${small} ${HUGE}/f`);
      assert.equal((await buffersOf(id)).length, 1);
      sh(`dd if=/dev/zero of=${path} bs=1M count=4 oflag=direct status=none`);
    });
    sh(`rm -f ${FOLDER}/*`);
    await withDevice({ target: 'null' }, async ({ id }) => {
      const memfd = { kind: 'memfd', bytes: PAGE, seal: false, readOnly: false } as const;
      await assert.rejects(registerBuffer(id, memfd), { code: 'EOPNOTSUPP', kind: 'unsupported' });
    });
  });

  test('a limit of locked memory is none for what the driver pins', async () => {
    sh('ulimit -l 64; ublkts add -t null -n 9 --shmem_zc');
    await blockDevice('/dev/ublkb9');
    await registerBuffer(9, { kind: 'memfd', bytes: 16 * MiB, seal: true, readOnly: false });
    sh('ublkts del -n 9');
  });

  test('a registration that its client has given up leaves nothing, and the next one of the same memory is made', async () => {
    const memfd = createMemfd('m', MiB);
    addSeals(memfd, F_SEAL_SHRINK, 'a memfd');
    const buffer = { kind: 'path', path: `/proc/${process.pid}/fd/${memfd}`, readOnly: false } as const;
    const options = { target: 'nbd', features: ['SHMEM_ZC'], targetOptions: { program: 'nbdkit memory 1M' } } as const;
    await withDevice(options, async ({ id, path: disk }) => {
      sh('udevadm settle; pkill -STOP nbdkit');
      const read = inBackground(`dd if=${disk} of=/dev/null bs=4k count=1 iflag=direct status=none`);
      const isAsked = async () => (await describeDevice(id)).queues.some(({ in_flight }) => in_flight > 0);
      await until('the server has the request', isAsked);
      // Long enough for the server to have asked the driver, which waits for the request.
      await assert.rejects(registerBuffer(id, buffer, { timeoutMs: 2000 }), { code: 'TIMEOUT' });
      const client = await openDevice(id);
      const givenUp = client.allocate({ bytes: MiB }, { signal: AbortSignal.timeout(300) });
      await assert.rejects(givenUp, { name: 'TimeoutError' });
      const again = registerBuffer(id, buffer);
      await sleep(300);
      sh('pkill -CONT nbdkit');
      await read.succeeded;
      assert.equal((await again).index, 0);
      assert.equal((await buffersOf(id)).length, 1);
      await client.close();
      const undone = /device \d+: buffer 0 \(\S+\), for which no client waits any more, is unregistered again/;
      assert.match(readFileSync(`/run/ublkts/${id}.log`, 'utf8'), undone);
    });
    closeSync(memfd);
  });

  test('hostile clients: an error within a second, no descriptor kept, and fio beside them sees nothing', async () => {
    await withDevice(
      { target: 'loop', files: backing('disk'), features: ['SHMEM_ZC'] },
      async ({ id, path, ublksrv_pid: pid }) => {
        const fio = fioUntilStopped(path);
        const socket = socketOf(id);
        const listening = openFiles(pid).filter(isSocket).length;
        await say(socket, encodeRequest({ op: 'list' }));
        // The answer is here before the server has closed its end.
        await until('the connection is closed', () => openFiles(pid).filter(isSocket).length === listening);
        const before = openFiles(pid);
        for (const { what, bytes, fds, expected } of lies(socket)) {
          assert.equal(await say(socket, bytes, fds), expected, what);
          closeAll(fds);
        }
        const many = await Promise.all(Array.from({ length: 200 }, () => say(socket, new Uint8Array())));
        // How many are turned away is a matter of speed here; test/server/socket-listener.test.ts counts them.
        for (const answer of many) assert.ok(answer === -EBUSY || answer === -ETIMEDOUT);
        assert.equal(await asNobody(socket), -EPERM);
        const kept = () => openFiles(pid).length - before.length;
        await until('no descriptor is kept', () => kept() === 0).catch(() => assert.deepEqual(openFiles(pid), before));
        assert.deepEqual(await buffersOf(id), []);
        await fio.stop();
      },
    );
  });

  for (const bytes of LONG ? [MiB, 4 * MiB] : [4 * MiB]) {
    const pages = bytes < 2 * MiB ? 'small' : 'huge';
    test(`a buffer of ${pages} pages is cut short under its I/O: errors for who did it, and nobody else notices`, async () => {
      await withDevice({ target: 'loop', files: backing('disk'), features: ['SHMEM_ZC'] }, async ({ id, path }) => {
        const { path: memfd } = await registerBuffer(id, { kind: 'memfd', bytes, seal: false, readOnly: false });
        const honest = fioUntilStopped(path, '--offset=8M');
        const liar = spawn(process.execPath, [`${ROOT}/test/fixtures/writes-from.ts`, path, memfd, String(bytes)]);
        await until('requests match', async () => (await bufferOf(id, 0)).matched.requests > 100, 60);
        sh(`truncate -s 0 ${memfd}`);
        await sleep(500);
        liar.kill('SIGTERM');
        const counts = JSON.parse(await text(liar.stdout)) as { good: number; bad: number };
        assert.ok(counts.good > 0 && counts.bad > 0, JSON.stringify(counts));
        await honest.stop();
        const sealed = await registerBuffer(id, { kind: 'memfd', bytes, seal: true, readOnly: false });
        shFails(`truncate -s 0 ${sealed.path}`, /not permitted/);
        await unregisterAllBuffers(id);
      });
    });
  }

  test('del gives everything back', async () => {
    const before = freeHugePages();
    sh(`fallocate -l 8M ${HUGE}/del`);
    await withDevice({ target: 'null', features: ['SHMEM_ZC'] }, async ({ id }) => {
      await registerBuffer(id, { kind: 'path', path: `${HUGE}/del`, readOnly: false });
      await registerBuffer(id, { kind: 'memfd', bytes: MiB, seal: true, readOnly: false });
      sh(`rm ${HUGE}/del`);
      assert.equal(freeHugePages(), before - 4, 'the pages are held');
    });
    assert.equal(freeHugePages(), before);
    assert.equal(run('ls /run/ublk/*.sock').status, 2);
  });

  test('the last of it', () => {
    sh(`rm -rf ${FOLDER} ${HUGE}/*; umount ${HUGE}; echo 0 > /proc/sys/vm/nr_hugepages`);
  });
});

function isSocket(file: string): boolean {
  return file.startsWith('socket:');
}

interface Lie {
  readonly what: string;
  readonly bytes: Uint8Array;
  readonly fds: number[];
  readonly expected: number;
}

function lies(socket: string): Lie[] {
  const byte = Uint8Array.of(0);
  const odd = createMemfd('odd', PAGE);
  ftruncateSync(odd, PAGE + 1);
  sh('rm -f /tmp/pipe; mkfifo /tmp/pipe');
  return [
    { what: 'garbage', bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n'), fds: [], expected: -EBADMSG },
    { what: 'a lot of garbage', bytes: Buffer.alloc(60_000, 7), fds: [], expected: -EBADMSG },
    { what: 'half a frame', bytes: encodeRequest({ op: 'list' }).subarray(0, 15), fds: [], expected: -ETIMEDOUT },
    { what: 'a byte without a descriptor', bytes: byte, fds: [], expected: -EBADMSG },
    {
      what: 'ten descriptors',
      bytes: byte,
      fds: Array.from({ length: 10 }, () => createMemfd('x', PAGE)),
      expected: -EINVAL,
    },
    {
      what: 'a hundred',
      bytes: byte,
      fds: Array.from({ length: 100 }, () => createMemfd('x', PAGE)),
      expected: -EINVAL,
    },
    {
      what: 'a pipe',
      bytes: byte,
      fds: [openSync('/tmp/pipe', constants.O_RDWR | constants.O_NONBLOCK)],
      expected: -EINVAL,
    },
    { what: 'a socket', bytes: byte, fds: [connectUnix(socket)], expected: -EINVAL },
    { what: 'a directory', bytes: byte, fds: [openSync('/tmp', 'r')], expected: -EISDIR },
    { what: 'a device', bytes: byte, fds: [openSync('/dev/zero', 'r+')], expected: -EINVAL },
    { what: 'an empty memfd', bytes: byte, fds: [createMemfd('empty', 0)], expected: -EINVAL },
    { what: 'a memfd of a page and a byte', bytes: byte, fds: [odd], expected: -EINVAL },
    { what: 'nothing at all', bytes: new Uint8Array(), fds: [], expected: -ETIMEDOUT },
  ];
}

/** As a user who is not root, should the socket's mode ever let one in. */
async function asNobody(socket: string): Promise<number> {
  sh(`chmod 666 ${socket}; chmod 755 /run/ublk`);
  const script = `require('net').connect(${JSON.stringify(socket)}).on('data', (d) => console.log(d.readInt32LE()))`;
  const { stdout } = spawnSync(process.execPath, ['-e', script], { uid: 65534, gid: 65534, encoding: 'utf8' });
  sh(`chmod 600 ${socket}`);
  return Number(stdout);
}

async function registerOrUnregister(
  id: number,
  paths: readonly string[],
  registered: Map<number, string>,
): Promise<void> {
  const indexes = [...registered.keys()];
  const free = paths.filter((path) => ![...registered.values()].includes(path));
  if (free.length > 0 && (indexes.length === 0 || Math.random() < 0.5)) {
    const path = free[Math.floor(Math.random() * free.length)]!;
    const { index } = await registerBuffer(id, { kind: 'path', path, readOnly: false });
    let lowest = 0;
    while (registered.has(lowest)) lowest++;
    assert.equal(index, lowest, 'the kernel gives out the lowest free index: ours and its are the same');
    registered.set(index, path);
  } else {
    const index = indexes[Math.floor(Math.random() * indexes.length)]!;
    await unregisterBuffer(id, index);
    registered.delete(index);
  }
}

async function tally(id: number, way: 'matched' | 'copied'): Promise<number> {
  return (await describeDevice(id)).io?.[way].requests ?? 0;
}

/** udev has looked at the device, so that nobody but the test uses it. */
async function settled(id: number): Promise<void> {
  sh('udevadm settle');
  let before = -1;
  await until('nobody uses the device', async () => {
    const now = await tally(id, 'copied');
    const still = now === before;
    before = now;
    return still;
  });
}

function socketOf(id: number): string {
  return `/run/ublk/ublkb${id}.sock`;
}

/** Sparse backing files of 64 MiB, new each time. */
function backing(...names: string[]): string[] {
  return names.map((name) => {
    const file = `/tmp/shared-memory-${name}`;
    sh(`rm -f ${file}; truncate -s 64M ${file}`);
    return file;
  });
}

function sharedFiles(count: number, bytes: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const path = `${FOLDER}/buffer-${i}`;
    writeFileSync(path, Buffer.alloc(bytes));
    return path;
  });
}

function freeHugePages(): number {
  return Number(/HugePages_Free:\s+(\d+)/.exec(sh('cat /proc/meminfo'))?.[1]);
}

/** The bytes of huge pages on tmpfs and in memfds. */
function hugeShared(): number {
  return Number(/ShmemHugePages:\s+(\d+)/.exec(sh('cat /proc/meminfo'))?.[1]) * 1024;
}
