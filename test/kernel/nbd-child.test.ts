/** A program that is the device's own NBD server (`add -t nbd -- PROGRAM`), on a real driver, with nbdkit and qemu-nbd. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { processState } from '../../src/record/process-state.ts';
import { describeDevice, leavesNothingBehind, run, sh, shFails, skip, verify } from './guest.ts';
import { requireReckonedDescriptors } from './support/descriptors.ts';
import { endServer, until } from './support/devices.ts';
import { LONG, onlyLong } from './support/long.ts';
import { library } from './support/library.ts';

const FOLDER = '/dev/shm/nbd-child';
const ID = 7;
const PATH = `/dev/ublkb${ID}`;
const HOME = `/run/ublkts/${ID}.program`;
const DISK = `${FOLDER}/disk`;

describe('the program of an nbd device', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(`mkdir -p ${FOLDER} && truncate -s 8M ${DISK}`);

  afterEach(() => run(`ublkts del -n ${ID} 2> /dev/null`));

  test('nbdkit serves it on a private socket, is started again when it is killed, and ends with the device', async () => {
    sh(`cd ${FOLDER} && ublkts add -t nbd -n ${ID} -- nbdkit file disk`);
    const { target, queues } = await describeDevice(ID);
    assert.deepEqual(target?.options, { program: 'nbdkit file disk', directory: FOLDER });
    assert.equal(new Set(queues.flatMap(({ tids }) => tids)).size, queues.length, 'a thread per queue');
    requireReckonedDescriptors(ID);
    assert.equal(statSync(HOME).mode & 0o777, 0o700);
    assert.doesNotMatch(sh(`ls -l /proc/${programPid()}/fd`), /ublk[bc]|anon_inode:\[io_uring\]/);

    const first = programPid();
    sh(`dd if=/dev/urandom of=${PATH} bs=1M count=2 oflag=direct status=none; kill -9 ${first}`);
    sh(`dd if=/dev/urandom of=${PATH} bs=1M count=2 seek=4 oflag=direct status=none && cmp ${PATH} ${DISK}`);
    assert.notEqual(programPid(), first);
    const log = readFileSync(`/run/ublkts/${ID}.log`, 'utf8');
    assert.match(log, new RegExp(`device ${ID}: the program .* was ended by SIGKILL; it is started again`));

    sh(`truncate -s 16M ${DISK} && ublkts update_size -n ${ID} -s 16M`);
    sh(`dd if=/dev/urandom of=${PATH} bs=1M count=1 seek=12 oflag=direct status=none && cmp ${PATH} ${DISK}`);
    const last = programPid();
    sh(`ublkts del -n ${ID}`);
    assert.equal(processState(last), 'gone');
    assert.ok(!existsSync(HOME));
  });

  test('nbdkit that is asked to end is left by every connection, also by one without requests', {
    skip: onlyLong,
  }, async () => {
    sh(`cd ${FOLDER} && ublkts add -t nbd -n ${ID} -q 2 --reconnect_delay 10 -- nbdkit file disk`);
    for (const cpu of [0, 1]) readFrom(cpu);
    // A connection is believed when it has been up for two seconds.
    await sleep(2500);
    const first = programPid();
    sh(`kill ${first}`);
    // nbdkit says so to this one, and then waits for the other one.
    readFrom(0);
    assert.notEqual(programPid(), first);
    readFrom(1);
    assert.equal(processState(first), 'gone');
    const { connections } = await describeDevice(ID);
    assert.deepEqual(
      connections?.map(({ state }) => state),
      ['up', 'up'],
    );
    sh(`ublkts del -n ${ID}`);
  });

  test('qemu-nbd and a qcow2 image: kill -9 of the server ends the program too, and recover starts it again', {
    skip: onlyLong,
  }, async () => {
    sh(`cd ${FOLDER} && qemu-img create -q -f qcow2 image 16M`);
    sh(`cd ${FOLDER} && ublkts add -t nbd -n ${ID} -i 1 -- qemu-nbd -f qcow2 --discard=unmap image`);
    verify(PATH, '--size=1M');
    sh(`dd if=/dev/urandom of=${FOLDER}/data bs=1M count=2 status=none`);
    // What is acknowledged and not flushed is in the memory of qemu-nbd, which must store it when it is told to end.
    sh(`dd if=${FOLDER}/data of=${PATH} bs=64k seek=100 oflag=direct status=none`);
    const { ublksrv_pid: server } = await describeDevice(ID);
    const program = programPid();
    sh(`kill -9 ${server}`);
    await until('the program has ended', () => processState(program) === 'gone');
    await library.recoverDevice(ID);
    assert.notEqual(programPid(), program);
    sh(`cmp -n 2097152 ${FOLDER}/data <(dd if=${PATH} bs=64k skip=100 iflag=direct status=none)`);
    sh(`ublkts del -n ${ID}`);
    assert.match(sh(`qemu-img check ${FOLDER}/image`), /No errors were found/);
  });

  test('one that serves one client after its server was killed does not get the threads of several', {
    skip: onlyLong,
  }, async () => {
    const modes = `${FOLDER}/mode`;
    sh(`echo auto > ${modes}`);
    const wrapper = `sh -c 'exec nbdkit -f -U "$0" --filter=multi-conn file ${DISK} multi-conn-mode=$(cat ${modes})' {socket}`;
    sh(`ublkts add -t nbd -n ${ID} -q 2 -i 1 -- ${wrapper}`);
    const { ublksrv_pid: server, queues } = await describeDevice(ID);
    assert.equal(new Set(queues.flatMap(({ tids }) => tids)).size, 2, 'a thread per queue');
    sh(`echo disable > ${modes}; kill -9 ${server}`);
    await until('the device waits', async () => (await describeDevice(ID)).state === 'QUIESCED');
    shFails(`ublkts recover -n ${ID}`, /cannot be served by 2 threads: .*CAN_MULTI_CONN/);
    sh(`echo auto > ${modes}`);
    await library.recoverDevice(ID);
    verify(PATH, '--size=1M');
  });

  test('one with several exports serves the one that is named, again after it was killed', {
    skip: onlyLong,
  }, async () => {
    sh(`mkdir -p ${FOLDER}/many && truncate -s 4M ${FOLDER}/many/a && truncate -s 8M '${FOLDER}/many/b c'`);
    sh(`cd ${FOLDER} && ublkts add -t nbd -n ${ID} --export 'b c' -- nbdkit file dir=many`);
    assert.equal(sh(`blockdev --getsize64 ${PATH}`), String(8 << 20));
    sh(`kill -9 ${programPid()}`);
    sh(`dd if=/dev/urandom of=${PATH} bs=1M count=2 oflag=direct status=none && cmp ${PATH} '${FOLDER}/many/b c'`);
    sh(`ublkts del -n ${ID}; touch ${FOLDER}/many/$'e\\nf'`);
    shFails(
      `cd ${FOLDER} && ublkts add -t nbd -n ${ID} --export d -- nbdkit file dir=many`,
      /cannot use .* export "d".*\n.*it has the exports "a", "b c", "e\\nf": name one with --export/,
    );
    assert.ok(!existsSync(`/dev/ublkc${ID}`));
  });

  test('one that does not start is reported with its last words, and no device is left', async () => {
    for (const [program, why] of [
      ['nbdkit file /no/such/disk', /ended with exit code 1 \(.*\/no\/such\/disk.*\)/],
      ['/no/such/nbdkit memory 1', /exit code 127 \(.*\/no\/such\/nbdkit: not found\)/],
      [`qemu-nbd -f qcow2 ${DISK}`, /ended with exit code 1 \(.*not in qcow2 format.*\)/],
      ['nbd-server 10809', /nothing tells it where to listen/],
    ] as const) {
      await assert.rejects(library.addDevice({ target: 'nbd', id: ID, targetOptions: { program } }), why);
    }
    assert.ok(!existsSync(`/dev/ublkc${ID}`));
  });
});

describe('no process of the program of an nbd device is left', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(`mkdir -p ${FOLDER} && truncate -s 8M ${DISK}`);

  afterEach(() => run(`ublkts del -n ${ID} 2> /dev/null`));

  test('a wrapper that starts the real server: one has the image at a time, and none is left', {
    skip: onlyLong,
  }, async () => {
    const wrapper = `sh -c 'nbdkit -f -U "$0" file ${DISK}; echo over' {socket}`;
    sh(`ublkts add -t nbd -n ${ID} -i 1 -- ${wrapper}`);
    assert.equal(servers(), 1, 'that of the probe has ended');
    const { ublksrv_pid: server } = await describeDevice(ID);
    sh(`kill -9 ${server}`);
    await until('the program has ended', () => servers() === 0);
    await library.recoverDevice(ID);
    assert.equal(servers(), 1);
    sh(`ublkts del -n ${ID}`);
    assert.equal(servers(), 0);
  });

  for (const server of LONG ? [null, 'talked-to'] : ['talked-to'])
    test(`one that prints without end does not fill the file system of the run directory${server === null ? '' : ', on a resident server'}`, async () => {
      const started = server === null ? null : await library.startServer({ name: server });
      writeFileSync(`${FOLDER}/chatty`, '#!/bin/bash\nyes talk | head -c 12M\nexec nbdkit -f -U "$1" memory 1M\n', {
        mode: 0o755,
      });
      sh(
        `cd ${FOLDER} && ublkts add -t nbd -n ${ID} ${server === null ? '' : `--server=${server}`} -- ./chatty {socket}`,
      );
      const log = (): string => readFileSync(`/run/ublkts/${ID}.log`, 'utf8');
      await until('the log is shortened', () => /^\S+Z this log had \d+ bytes: only its end is kept$/m.test(log()));
      assert.ok(log().length <= 8 << 20);
      if (started !== null) await endServer(started.name, started.pid);
    });

  test('one of another user ends with the server, and del ends one that does not', { skip: onlyLong }, async () => {
    sh(`ublkts add -t nbd -n ${ID} -- nbdkit -u nobody memory 8M`);
    const { ublksrv_pid: server } = await describeDevice(ID);
    sh(`kill -9 ${server}`);
    await until('the program has ended', () => servers() === 0);
    sh(`ublkts del -n ${ID}`);
    sh(`ublkts add -t nbd -n ${ID} -- sh -c 'trap : TERM; nbdkit -f -U "$0" memory 8M; sleep 99; sleep 99' {socket}`);
    const program = programPid();
    sh(`kill -9 ${(await describeDevice(ID)).ublksrv_pid}`);
    await until('the device is dead', async () => (await describeDevice(ID)).state === 'DEAD');
    sh(`ublkts del -n ${ID}`);
    assert.equal(processState(program), 'gone');
  });

  test('del has ended when the program has, however long that takes', async () => {
    const slow = `sh -c 'trap "sleep 3" TERM; nbdkit -f -U "$0" file ${DISK} & wait; wait' {socket}`;
    sh(`ublkts add -t nbd -n ${ID} -- ${slow}`);
    const program = programPid();
    sh(`ublkts del -n ${ID}`);
    assert.deepEqual([processState(program), servers(), existsSync(HOME)], ['gone', 0, false]);
  });

  test('one that is stopped with requests is named by del, and the device goes when it is killed', {
    skip: onlyLong,
  }, async () => {
    sh(`ublkts add -t nbd -n ${ID} -- nbdkit file ${DISK}`);
    const program = programPid();
    sh(`kill -STOP ${program}; dd if=/dev/zero of=${PATH} bs=4k count=1 oflag=direct &> /dev/null & sleep 0.5`);
    shFails(`ublkts del -n ${ID}`, new RegExp(`nbdkit file .*\\(pid ${program}\\), which is stopped \\(state T\\)`));
    sh(`kill -9 ${program}`);
    await until('the device is gone', () => !existsSync(`/dev/ublkc${ID}`) && servers() === 0);
    sh('ublkts list');
  });

  test('another process that is stuck in the kernel, so that its environment cannot be read, is named, and del ends', {
    skip: onlyLong,
  }, async () => {
    const script = `#!/bin/sh
      stuck=/proc/$(cat ${FOLDER}/stuck)/environ
      mark=$4 control=$6
      shift 7
      for file; do
        [ $file != $stuck ] || exec sleep 99
        /bin/grep -sHczxF -e "$mark" -e "$control" -- $file
      done`;
    mkdirSync(`${FOLDER}/bin`);
    writeFileSync(`${FOLDER}/bin/grep`, script, { mode: 0o755 });
    const log = `/run/ublkts/${ID}.log`;
    const begin = `tail -n 0 -f ${log} &> ${FOLDER}/log & sleep 299 &> /dev/null & echo $! > ${FOLDER}/stuck`;
    sh(`PATH=${FOLDER}/bin:$PATH ublkts add -t nbd -n ${ID} -- nbdkit file ${DISK}; ${begin}`);
    const stuck = Number(readFileSync(`${FOLDER}/stuck`, 'utf8'));
    sh(`ublkts del -n ${ID}; status=$?; pkill tail; exit $status`);
    const named = `process ${stuck} may be one, and cannot be looked at`;
    assert.match(readFileSync(`${FOLDER}/log`, 'utf8'), new RegExp(`of the program \`nbdkit .*\`, ${named}`));
    assert.deepEqual([servers(), existsSync(HOME), processState(stuck)], [0, false, 'running']);
    process.kill(stuck);
  });
});

/** How many nbdkits there are, of the devices and of the probes. */
function servers(): number {
  return Number(sh('pgrep -c nbdkit || true'));
}

function programPid(): number {
  return Number(readFileSync(`${HOME}/process`, 'utf8').split(' ')[0]);
}

function readFrom(cpu: number): void {
  sh(`timeout 30 taskset -c ${cpu} dd if=${PATH} of=/dev/null bs=4k count=1 iflag=direct status=none`);
}
