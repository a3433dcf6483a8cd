/** Resident servers on a real ublk driver: devices that come, go, fail and are recovered, and what that is to the others. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddRequest } from '../../src/spec/options.ts';
import { joinWords } from '../../src/text/shell-words.ts';
import { blockDevice, describeDevice, leavesNothingBehind, sh, shFails, skip, verify } from './guest.ts';
import { type Background, inBackground } from './support/background.ts';
import { endServer, mappingsOf, openFiles } from './support/devices.ts';
import { library } from './support/library.ts';
import { LONG, onlyLong } from './support/long.ts';

const NAME = 'test';
const DIRECTORY = '/tmp/resident';
const NOT_OPENED = `${DIRECTORY}/does-not-open.ts`;
/** Devices that come and go one after the other. Something that each of them left would be seen. */
const ROUNDS = 10;

describe('a resident server', { skip }, () => {
  let pid = 0;

  before(async () => {
    sh(
      `mkdir -p ${DIRECTORY} && cp test/fixtures/{handlers,does-not-open}.ts ${DIRECTORY}/ && chmod 644 ${DIRECTORY}/*`,
    );
    sh(`truncate -s 64M ${DIRECTORY}/{a,b,c,d}.img`);
    ({ pid } = await library.startServer({ name: NAME }));
  });
  after(async () => {
    await endServer(NAME, pid);
  });
  // Behind the hook that ends the server: hooks run in the order in which they were registered.
  leavesNothingBehind();

  test('has a name of its own', () => {
    shFails(`ublkts serve --name ${NAME}`, /a server named test is running already/);
    shFails('ublkts add --server=nobody -t null', /no server named nobody is running[^]*hint: .*serve --name nobody/);
  });

  test('that the configuration file names gets each new device, unless the environment says otherwise', async () => {
    sh(`echo 'server = ${NAME}' > ${DIRECTORY}/ublkts.conf`);
    sh(`UBLKTS_CONFIG=${DIRECTORY}/ublkts.conf ublkts add -n 20 -t null`);
    sh(`UBLKTS_SERVER= UBLKTS_CONFIG=${DIRECTORY}/ublkts.conf ublkts add -n 21 -t null`);
    assert.deepEqual([(await describeDevice(20)).server, (await describeDevice(21)).server], [NAME, null]);
    sh('ublkts del 20 21');
  });

  test('that dies while it makes a device is named, with what that is to its devices', async () => {
    await library.startServer({ name: 'dies' });
    const dies = { target: 'fault_inject', queues: 1, targetOptions: { die_during_fetch: '1' }, server: 'dies' };
    await assert.rejects(library.addDevice(dies), {
      code: 'SERVER_DIED',
      message: 'the server dies has ended before it answered',
      hint: /ublkts recover -a/,
    });
    await until(() => readdirSync('/sys/class/ublk-char').length === 0);
    sh('ublkts doctor --fix');
    assert.ok(!existsSync('/run/ublkts/server-dies.log'));
  });

  test('that a signal has stopped is named to whoever asks it, nothing is left, and it goes on', async () => {
    process.kill(pid, 'SIGSTOP');
    try {
      shFails(
        `ublkts add --server=${NAME} -t null`,
        new RegExp(`the server ${NAME} \\(pid ${pid}\\) is stopped[^]*hint: .*kill -CONT ${pid}`),
      );
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await until(() => readdirSync('/sys/class/ublk-char').length === 0);
    const { path, id } = await add({ target: 'null' });
    sh(`dd if=${path} of=/dev/null bs=4k count=1 iflag=direct status=none`);
    await library.deleteDevice(id);
  });

  test('that is opened when one of its name has just ended has its log', async () => {
    for (let round = 0; round < 3; round++) {
      const server = await library.openServer({ name: 'again' });
      assert.ok(existsSync('/run/ublkts/server-again.log'));
      await server.end();
    }
  });

  test('starts no device that has the id of one whose call was given up', { skip: onlyLong }, async () => {
    const id = 33;
    process.kill(pid, 'SIGSTOP');
    let adding: Background | undefined;
    try {
      shFails(`ublkts add --server=${NAME} -n ${id} -t null`, /is stopped/);
      adding = inBackground(`ublkts add -n ${id} -t ram --size 8M`);
      // Its own server has not come to the char device yet.
      await until(() => existsSync(`/run/ublkts/${id}.json`));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await adding.succeeded;
    const { path, server, ublksrv_pid } = await describeDevice(id);
    assert.equal(server, null);
    verify(path, '--size=1M');
    // A process that is started for a call that is over leaves the device, and its record, as they are.
    shFails(
      `node dist/server/main.cjs ${id} add another-call '' 3>&1`,
      /device 33 is not started: the call that asked/,
    );
    const after = await describeDevice(id);
    assert.deepEqual([after.state, after.ublksrv_pid], ['LIVE', ublksrv_pid]);
    assert.match(readFileSync(`/run/ublkts/${id}.json`, 'utf8'), /"ended":null/);
    await library.deleteDevice(id);
  });

  test('serves devices of every kind from one process', async () => {
    const kinds: Omit<AddRequest, 'server'>[] = [
      { target: 'null' },
      { target: 'loop', files: [`${DIRECTORY}/a.img`], queues: 1 },
      { target: 'stripe', files: [`${DIRECTORY}/c.img`, `${DIRECTORY}/d.img`], features: ['BATCH_IO'], queues: 1 },
      { target: 'ram', targetOptions: { size: '32M' }, dataPath: 'user_copy', threads: 2, perIoTasks: true },
      { target: `${DIRECTORY}/handlers.ts`, debugMask: 2 },
    ];
    const devices = [];
    for (const kind of kinds) devices.push(await add(kind));
    for (const { ublksrv_pid, server, state } of devices) {
      assert.deepEqual([ublksrv_pid, server, state], [pid, NAME, 'LIVE']);
    }
    sh(`dd if=${devices[0]?.path} of=/dev/null bs=64k count=100 iflag=direct status=none`);
    for (const { path } of devices.slice(1, 4)) verify(path, '--size=1M');
    assert.match(sh(`script -qec 'ublkts list' /dev/null`), /SERVER[^]*test/);
    shFails(`ublkts add --server=${NAME} -t loop ${DIRECTORY}/a.img`, /cannot use backing file/);
    const { id } = devices.at(-1)!;
    const lines = readFileSync(`/run/ublkts/server-${NAME}.log`, 'utf8');
    assert.match(lines, new RegExp(`Z device ${id}: thread 0 \\(tid \\d+\\) serves`));
    await library.deleteAllDevices();
    assert.ok(existsSync(`/proc/${pid}`), 'the server lives');
  });

  test('takes no device that names something else in its own mount or network namespace', async () => {
    const add = `ublkts add --server=${NAME}`;
    const other = `mount -t tmpfs none ${DIRECTORY}; truncate -s 32M ${DIRECTORY}/a.img`;
    const program = `${add} -t nbd -- nbdkit file ${DIRECTORY}/a.img`;
    const socket = `nbdkit -f -U ${DIRECTORY}/s memory 1M & sleep 1; ${add} -t nbd 'nbd+unix:///?socket=${DIRECTORY}/s'`;
    const others = LONG ? [`${add} -t loop ${DIRECTORY}/a.img`, program] : [];
    for (const script of [...others, `trap 'kill %1' EXIT; ${socket}`]) {
      shFails(unshared('--mount', `${other}; ${script}`), /another mount namespace, where the paths of device \d+ may/);
    }
    const alone = 'ip link set lo up; nbdkit -f memory 1M & trap "kill %1" EXIT; sleep 1';
    shFails(
      unshared('--net', `${alone}; ${add} -t nbd nbd://127.0.0.1/`),
      /another network namespace, where the addresses of device \d+ may/,
    );
    sh(unshared('--mount', `${add} -t null`));
    sh(unshared('--net', `${add} -t loop ${DIRECTORY}/a.img`));
    await library.deleteAllDevices();
  });

  test('shares memory with the clients of a device', async () => {
    const { id } = await add({ target: 'null', features: ['SHMEM_ZC'] });
    sh(`ublkts reg-buf -n ${id} --memfd 1M`);
    assert.equal((await describeDevice(id)).buffers?.length, 1);
    sh(`ublkts unreg-buf -n ${id} -a`);
    await library.deleteDevice(id);
  });

  test('loses a device whose target fails, and no other', async () => {
    const kept = await add({ target: 'loop', files: [`${DIRECTORY}/a.img`] });
    const lost = await add({ target: `${DIRECTORY}/handlers.ts`, targetOptions: { crash_at: '4096' } });
    // The request itself is answered.
    sh(`dd if=${lost.path} of=/dev/null bs=4k skip=1 count=1 iflag=direct status=none || true`);
    await until(async () => (await describeDevice(lost.id)).state === 'DEAD');
    const { last_error, server_state } = await describeDevice(lost.id);
    assert.match(last_error ?? '', /failed outside of every request/);
    assert.equal(server_state, null);
    verify(kept.path, '--size=1M');
    await library.deleteDevice(lost.id);
    await assert.rejects(add({ target: `${DIRECTORY}/handlers.ts`, targetOptions: { refuse: '1' } }), /not to be had/);
    verify(kept.path, '--size=1M');
    await library.deleteDevice(kept.id);
  });

  test('is held open by a program, which hears of its devices', async () => {
    await using server = await library.openServer({ name: NAME });
    const heard: string[] = [];
    server.on('live', (device) => heard.push(`live ${device}`));
    server.on('left', (device) => heard.push(`left ${device}`));
    server.on('failed', (device, { message }) => heard.push(`failed ${device}: ${message}`));
    const kept = await server.add({ queues: 1, target: 'null' });
    const lost = await server.add({
      queues: 1,
      target: `${DIRECTORY}/handlers.ts`,
      targetOptions: { crash_at: '4096' },
    });
    assert.equal(server.pid, pid);
    await until(() => heard.length === 2);
    assert.deepEqual(server.devices, [kept.id, lost.id]);
    sh(`dd if=${lost.path} of=/dev/null bs=4k skip=1 count=1 iflag=direct status=none || true`);
    await until(() => heard.length === 3);
    await server.delete(kept.id);
    await until(() => heard.length === 4);
    assert.deepEqual(heard.slice(0, 2), [`live ${kept.id}`, `live ${lost.id}`]);
    assert.match(heard[2] ?? '', new RegExp(`^failed ${lost.id}: .*failed outside of every request`));
    assert.deepEqual([heard[3], server.devices], [`left ${kept.id}`, []]);
    await server.delete(lost.id);
  });

  test('lets go of a device whose target ends its thread before it has opened', async () => {
    const before = ringsOf(pid);
    for (const targetOptions of [{ exit: '7' }, { hang: 'open' }]) {
      await assert.rejects(add({ target: NOT_OPENED, targetOptions }), {
        code: 'BAD_TARGET',
        message: /`open` of target .*does-not-open\.ts ended its thread \(0\)/,
      });
      await until(() => readdirSync('/sys/class/ublk-char').length === 0);
      assert.equal(ringsOf(pid), before);
    }
  });

  test('that is asked to end while it starts a device does not make it live, and ends', async () => {
    const server = await library.openServer({ name: 'ends' });
    const opens = `${DIRECTORY}/opens`;
    const starting = server.add({ target: NOT_OPENED, queues: 1, targetOptions: { open_ms: '2000', opens } });
    const refused = assert.rejects(starting, { code: 'ESHUTDOWN', message: /the server ends is about to end/ });
    await until(() => existsSync(opens));
    await server.end();
    await refused;
    await until(() => readdirSync('/sys/class/ublk-char').length === 0);
  });

  test('that is asked to end while its device is deleted ends', { skip: onlyLong }, async () => {
    for (const delay of [0, 10, 20, 40, 80, 160]) {
      const server = await library.openServer({ name: 'ends' });
      const { id } = await server.add({ target: 'null', queues: 1 });
      const deleted = server.delete(id);
      await sleep(delay);
      await server.end();
      await deleted;
    }
  });

  test('says which device is being started when it is asked to end, and its `setup` has a minute', {
    skip: onlyLong,
  }, async () => {
    const server = await library.openServer({ name: 'ends' });
    const aborted = new AbortController();
    const device = { target: NOT_OPENED, id: 40, queues: 1, targetOptions: { hang: 'setup' } };
    const adding = server.add(device, { signal: aborted.signal });
    await until(() => readdirSync('/sys/class/ublk-char').length === 1);
    await sleep(2000);
    aborted.abort(new Error('enough'));
    await assert.rejects(adding, /enough/);
    const end = server.end({ timeoutMs: 90_000 });
    const log = '/run/ublkts/server-ends.log';
    await until(() => /waiting for device 40, which is being started/.test(readFileSync(log, 'utf8')));
    await end;
    await until(() => readdirSync('/sys/class/ublk-char').length === 0);
  });

  test('gives back everything of the devices that it had', { skip: onlyLong }, async () => {
    const file = `${DIRECTORY}/a.img`;
    const cycle = async (): Promise<void> => {
      const { id } = await add({ target: 'loop', files: [file], queues: 1, depth: 16 });
      await library.deleteDevice(id);
    };
    await cycle();
    await sleep(500);
    const before = held(pid);
    for (let round = 0; round < ROUNDS; round++) await cycle();
    await until(() => held(pid).descriptors <= before.descriptors);
    // Their memory goes last.
    await until(() => held(pid).mappings <= before.mappings + 7);
  });

  test('keeps the ring of one device for the next one, and nothing of the driver', async () => {
    const comeAndGo = async (): Promise<void> => {
      const devices = await Promise.all([add({ target: 'null' }), add({ target: 'null', features: ['SHMEM_ZC'] })]);
      await Promise.all(devices.map(({ id }) => library.deleteDevice(id)));
      await until(() => !hasDriverOpen(pid));
    };
    await comeAndGo();
    const before = ringsOf(pid);
    for (let round = 0; round < 3; round++) {
      await comeAndGo();
      await until(() => ringsOf(pid) <= before);
    }
  });

  test('that is killed loses nothing of devices that can be recovered: `recover -a` gives them one new server', {
    skip: onlyLong,
  }, async () => {
    const features: AddRequest['features'] = ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'];
    const a = await add({ target: 'loop', files: [`${DIRECTORY}/a.img`], features });
    const b = await add({ target: 'loop', files: [`${DIRECTORY}/b.img`], features: [...features, 'BATCH_IO'] });
    const alone = await library.addDevice({ target: 'null', queues: 1, features });
    const mortal = await add({ target: 'null' });
    const clients = [a, b].map(({ path }) => writer(path));
    const done = clients.map((client) => once(client, 'exit'));
    await sleep(300);
    process.kill(pid, 'SIGKILL');
    await until(async () => (await describeDevice(mortal.id)).state === 'DEAD');
    sh('ublkts recover -a');
    for (const exit of done) assert.deepEqual((await exit).slice(0, 2), [0, null]);
    const [now, other] = await Promise.all([describeDevice(a.id), describeDevice(b.id)]);
    assert.equal(now.ublksrv_pid, other.ublksrv_pid);
    assert.deepEqual([now.server, now.state, other.state], [NAME, 'LIVE', 'LIVE']);
    assert.notEqual(now.ublksrv_pid, pid);
    pid = now.ublksrv_pid;
    assert.equal((await describeDevice(alone.id)).ublksrv_pid, alone.ublksrv_pid, 'who has a server keeps it');
    const written = once(writer(a.path), 'exit');
    await sleep(300);
    for (const { id } of [a, b]) await library.quiesceDevice(id);
    assert.ok(existsSync(`/proc/${pid}`), 'the server lives');
    assert.deepEqual((await library.recoverAllDevices()).recovered, [a.id, b.id]);
    assert.deepEqual((await written).slice(0, 2), [0, null], 'a quiesced device loses nothing either');
    await library.deleteAllDevices();
  });

  test('ends when it is asked to and no device is in use', async () => {
    const { path } = await add({ target: 'loop', files: [`${DIRECTORY}/a.img`] });
    const user = spawn('bash', ['-c', `exec 3< ${path}; echo; read -r`], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(user.stdout, 'data');
    process.kill(pid, 'SIGTERM');
    await until(() => /is in use and is served on/.test(readFileSync(`/run/ublkts/server-${NAME}.log`, 'utf8')));
    await add({ target: 'null' });
    user.stdin.end();
    await once(user, 'exit');
    process.kill(pid, 'SIGTERM');
    await until(() => !existsSync(`/proc/${pid}`));
    await until(() => readdirSync('/sys/class/ublk-char').length === 0);
    ({ pid } = await library.startServer({ name: NAME }));
  });
});

async function add(request: AddRequest) {
  const device = await library.addDevice({ queues: 1, ...request, server: NAME });
  await blockDevice(device.path);
  return device;
}

/** Writes to the device, and checks what it has written. */
function writer(path: string): ChildProcess {
  const workload = '--rw=randwrite --bs=4k --size=2M --iodepth=8 --ioengine=libaio --direct=1';
  const check = '--verify=crc32c --do_verify=1 --verify_fatal=1 --verify_state_save=0';
  return spawn('bash', ['-c', `fio --name=v --filename=${path} ${workload} ${check}`], { stdio: 'ignore' });
}

/** The script in a namespace of its own: `kind` is an option of unshare(1). */
function unshared(kind: string, script: string): string {
  return joinWords(['unshare', kind, 'bash', '-ec', script]);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    assert.ok(tries < 200, `${condition.toString()} within 20 s`);
    await sleep(100);
  }
}

function ringsOf(pid: number): number {
  return openFiles(pid).filter((path) => path.includes('io_uring')).length;
}

function hasDriverOpen(pid: number): boolean {
  return openFiles(pid).some((path) => path.startsWith('/dev/ublk'));
}

function held(pid: number): { descriptors: number; mappings: number } {
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, mappings: mappingsOf(pid) };
}
