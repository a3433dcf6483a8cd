/** What docs/writing-a-target.md promises where a target breaks its rules, or where its file may not be run. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { deviceScript } from '../../src/targets/check/device-script.ts';
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
import { bufferOf } from './support/devices.ts';
import { library } from './support/library.ts';
import { onlyLong } from './support/long.ts';

const DIRECTORY = '/tmp/target-contract';
const TARGET = `${DIRECTORY}/breaks-rules.ts`;
const MiB = 1 << 20;

describe('targets that break rules', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(
    `mkdir -p ${DIRECTORY} && cp test/fixtures/breaks-rules.ts examples/ram.ts ${DIRECTORY}/ && chmod 644 ${DIRECTORY}/*`,
  );

  test('a handler that answers with a number fails that request, is told of once, and the next one is good', async () => {
    await withDevice({ target: TARGET }, async ({ id, path }) => {
      for (const at of [1, 2, 1, 2]) assert.match(readAt(path, at * 256), /Input\/output error/);
      assert.equal(readAt(path, 0), '');
      assert.ok(((await describeDevice(id)).io?.errors ?? 0) >= 4);
      assert.equal(log(id).match(/ read: it returned a number: a handler returns nothing/g)?.length, 1);
      assert.equal(log(id).match(/ read: its promise was fulfilled with a number: a handler/g)?.length, 1);
    });
  });

  test('one request at a time, also after a timeout; those behind a late handler fail, and later ones do not', async () => {
    const until = `${DIRECTORY}/until`;
    await withDevice({ target: TARGET, targetOptions: { one_at_a_time: 'yes', until } }, async ({ id, path }) => {
      assert.match(readAt(path, 768), /Connection timed out/, 'the late one');
      assert.match(readAt(path, 0), /Connection timed out/, 'one behind it');
      writeFileSync(until, '');
      await sleep(200);
      assert.equal(readAt(path, 0), '');
      assert.doesNotMatch(log(id), /two at once/);
    });
  });

  test('a handler that writes into its buffer does not end the server, where that is read-only memory of a client', async () => {
    const device = { target: TARGET, targetOptions: { scribble: 'yes' }, features: ['SHMEM_ZC'] as const };
    await withDevice(device, async ({ id, path }) => {
      const buffer = await library.registerBuffer(id, { kind: 'memfd', bytes: MiB, seal: true, readOnly: true });
      const fio = `fio --name=w --filename=${path} --direct=1 --ioengine=libaio --bs=4k --size=512k --mem=mmapshared:${buffer.path}`;
      sh(`${fio} --rw=write --verify=crc32c --do_verify=0 --verify_state_save=0 --verify_header_seed=0`);
      assert.equal((await bufferOf(id, buffer.index)).matched.requests, 128);
      sh(
        `fio --name=w --filename=${path} --direct=1 --bs=4k --size=512k --rw=read --verify=crc32c --verify_fatal=1 --verify_header_seed=0`,
      );
    });
  });

  test('a target that calls process.exit in `setup` is refused, and its server and the other devices live on', async () => {
    const file = `${DIRECTORY}/exits.ts`;
    const target = "{ summary: 'x', setup: () => process.exit(3), open: () => ({ size: 4096, read() {} }) }";
    writeFileSync(file, `import { defineTarget } from 'ublkts/target';\nexport default defineTarget(${target});\n`);
    await using server = await library.openServer({ name: 'exits' });
    const { id } = await server.add({ target: 'null', queues: 1, depth: 2 });
    await assert.rejects(
      server.add({ target: file }),
      /cannot setup: the code of the target has called process\.exit: let it throw an error instead \(exits\.ts:2:\d+\)/,
    );
    await server.delete(id);
    await server.end();
  });

  test('a rejection that is left by a handler which answers at once has a reason on record, and the server goes on', async () => {
    const file = `${DIRECTORY}/leaves.ts`;
    const read =
      "read(_, offset) { if (offset === 129 * 4096) void Promise.reject(new Error('nobody handles this')); }";
    const target = `{ summary: 'x', open: () => ({ size: ${MiB}, ${read} }) }`;
    writeFileSync(file, `import { defineTarget } from 'ublkts/target';\nexport default defineTarget(${target});\n`);
    await using server = await library.openServer({ name: 'leaves' });
    const { id, path } = await server.add({ target: file, features: ['USER_COPY'] });
    await blockDevice(path);
    const failed = once(server, 'failed', { signal: AbortSignal.timeout(30_000) });
    run(`timeout 5 dd if=${path} of=/dev/null bs=4k skip=129 count=1 iflag=direct`);
    const [, error] = (await failed) as [number, Error];
    assert.match(error.message, /leaves\.ts failed outside of every request, on thread 0: nobody handles this/);
    await server.delete(id);
    await server.end();
  });

  test('a server ends without a complaint of Node, and the killer of the kernel comes to it late', async () => {
    const { id, path, ublksrv_pid } = await library.addDevice({
      target: `${DIRECTORY}/ram.ts`,
      targetOptions: { size: '64M' },
    });
    await blockDevice(path);
    verify(path, '--size=4M');
    assert.equal(readFileSync(`/proc/${ublksrv_pid}/oom_score_adj`, 'utf8').trim(), '-500');
    sh(`ublkts stop -n ${id}`);
    for (let tries = 0; run(`test -d /proc/${ublksrv_pid}/fd`).status === 0 && tries < 100; tries++) await sleep(50);
    assert.match(log(id), new RegExp(`the server of device ${id} .* ends`));
    assert.doesNotMatch(log(id), /FATAL|native stack/i);
    await library.deleteDevice(id);
  });

  test('an unhandled rejection ends the server, whatever NODE_OPTIONS says', { skip: onlyLong }, async () => {
    sh(`NODE_OPTIONS=--unhandled-rejections=warn ublkts add -n 6 -r 1 -t ${TARGET}`);
    await blockDevice('/dev/ublkb6');
    run('timeout 5 dd if=/dev/ublkb6 of=/dev/null bs=4k skip=1024 count=1 iflag=direct || true');
    for (let tries = 0; (await describeDevice(6)).state !== 'QUIESCED'; tries++) {
      assert.ok(tries < 100, 'it is QUIESCED');
      await sleep(100);
    }
    sh('ublkts recover -n 6');
    assert.equal(readAt('/dev/ublkb6', 0), '');
    sh('ublkts del -n 6');
  });

  test('root runs the file of a user neither for add nor for recover, under sudo or not', async () => {
    const file = `${DIRECTORY}/users.ts`;
    sh(`cp ${DIRECTORY}/ram.ts ${file} && chown 1000 ${file}`);
    const refused = /root does not run target .*users\.ts: it belongs to user 1000[^]*hint: .*chown root/;
    shFails(`ublkts add -t ${file}`, refused);
    shFails(`SUDO_UID=1000 ublkts add -t ${file}`, refused);
    sh(`chown root ${file} && ublkts add -n 6 -r 1 -t ${file} -o size=64M && chown 1000 ${file}`);
    process.kill((await describeDevice(6)).ublksrv_pid, 'SIGKILL');
    shFails('SUDO_UID=1000 ublkts recover -n 6', refused);
    sh(`chown root ${file} && ublkts recover -n 6 && ublkts del -n 6`);
  });
});

describe('the check of `target check --lab`', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();

  test('finds a target good on a real device, and says what a target in memory loses', { skip: onlyLong }, () => {
    const said = checked('ram.ts', { size: '64M' });
    assert.equal(said.code, 0, said.lines.join('\n'));
    assert.deepEqual(
      said.lines.map((line) => line.split('\t').slice(1, 3).join(': ')),
      [
        'handlers: ok',
        'device: ok',
        'reads: ok',
        'data: ok',
        'discards: ok',
        'file system: ok',
        'kill and recover: warn',
        'del: ok',
      ],
    );
  });

  test('ends at the first thing that is wrong, and deletes the device', () => {
    writeFileSync(`${DIRECTORY}/numbers.ts`, NUMBERS);
    const said = checked('numbers.ts', {}, true);
    assert.equal(said.code, 1);
    assert.match(said.lines.join('\n'), /^done\treads\tfail\t.*it returned a number.*\ndone\tdel\tok/m);
  });
});

function checked(
  file: string,
  targetOptions: Readonly<Record<string, string>>,
  isRing = false,
): { code: number | null; lines: string[] } {
  const target = `${DIRECTORY}/${file}`;
  const script = deviceScript({ target, files: [], targetOptions, readOnly: false, isRing, folders: [], empty: {} });
  writeFileSync(`${DIRECTORY}/check.sh`, script);
  const { status, stdout } = run(`bash ${DIRECTORY}/check.sh`);
  return { code: status, lines: stdout.split('\n').filter((line) => line.startsWith('done')) };
}

/** The check is told that it is a ring target, so that its handlers are not called before there is a device. */
const NUMBERS = `import { defineTarget } from 'ublkts/target';
const disk = Buffer.alloc(8 << 20);
export default defineTarget({
  summary: 'answers with numbers',
  open: () => ({ size: disk.length, read: (buffer, offset): any => disk.copy(buffer, 0, offset, offset + buffer.length) }),
});
`;

/** What dd says when it cannot read a block of 4096 bytes; nothing when it can. */
function readAt(path: string, block: number): string {
  return run(`dd if=${path} of=/dev/null bs=4k skip=${block} count=1 iflag=direct status=none`).stderr;
}

function log(id: number): string {
  return readFileSync(`/run/ublkts/${id}.log`, 'utf8');
}
