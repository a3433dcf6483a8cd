/** Ctrl-C while a device is being made, above all in the foreground: nothing is left, at whatever moment it comes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, describe, test } from 'node:test';
import { leftovers, serverPids } from '../../tools/guest/leftovers.ts';
import { describeDevice, leavesNothingBehind, run, sh, skip } from './guest.ts';
import { killServer, until } from './support/devices.ts';
import { library } from './support/library.ts';
import { onlyLong } from './support/long.ts';

const ID = 6;
const DISK = '/dev/shm/foreground-disk';
const RUN = '/run/ublkts';

const MAKES = {
  // This one is not in the foreground, and is given up all the same.
  'a program that never listens': ['add', '-n', `${ID}`, '-t', 'nbd', '--', 'bash', '-c', 'sleep 1000', '{socket}'],
  nbd: ['add', '--foreground', '-n', `${ID}`, '-t', 'nbd', '--', 'nbdkit', 'memory', '16M'],
  loop: ['add', '--foreground', '-n', `${ID}`, '-t', 'loop', DISK],
  null: ['add', '--foreground', '-n', `${ID}`, '-t', 'null'],
} as const;

/** What is seen when so much has been done. */
const MOMENTS = {
  'the program is asked': () => existsSync(RUN) && readdirSync(RUN).some((name) => name.startsWith('program-')),
  'the kernel has made it': () => existsSync(`/dev/ublkc${ID}`),
  "the device's own program is started": () => existsSync(`${RUN}/${ID}.program`),
  'it is live': () => existsSync(`/dev/ublkb${ID}`),
} as const;

const CASES: readonly (readonly [target: keyof typeof MAKES, moment: keyof typeof MOMENTS, isLong?: boolean])[] = [
  ['a program that never listens', 'the program is asked'],
  ['nbd', 'the program is asked', true],
  ['nbd', 'the kernel has made it', true],
  ['nbd', "the device's own program is started", true],
  ['nbd', 'it is live', true],
  ['loop', 'the kernel has made it', true],
  ['null', 'it is live'],
];

describe('Ctrl-C in the foreground', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();
  if (skip) return;
  sh(`truncate -s 16M ${DISK}`);
  after(() => run(`ublkts del -n ${ID} 2> /dev/null; rm -f ${DISK}`));

  for (const [target, moment, isLong = false] of CASES) {
    test(`${target}, when ${moment}: nothing is left`, { skip: isLong && onlyLong }, async () => {
      await interrupted(MAKES[target], () => until(moment, MOMENTS[moment], 60));
    });
  }

  for (const target of ['nbd', 'loop', 'null'] as const) {
    test(`${target}, at any time: nothing is left`, { skip: onlyLong }, async () => {
      for (let seconds = 0.2; seconds < 8; seconds *= 1.25)
        await interrupted(MAKES[target], () => sleep(seconds * 1000));
    });
  }

  test('while a device is recovered: it can be recovered all the same', async () => {
    await library.addDevice({ target: 'null', id: ID, features: ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'] });
    await killServer(ID);
    const child = spawn('ublkts', ['recover', '--foreground', '-n', `${ID}`], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    // The new server has the char device open from early on.
    await until('a server starts', () => serverPids().length > 0, 60);
    child.kill('SIGINT');
    await ended;
    const isThere = existsSync(`/dev/ublkc${ID}`);
    // It may have been live, and then Ctrl-C deletes it.
    if (!isThere) return;
    await until('the kernel has seen it', async () => (await describeDevice(ID)).state === 'QUIESCED');
    await library.recoverDevice(ID);
    await library.deleteDevice(ID);
  });

  test('while a resident server starts: it ends', async () => {
    const name = 'interrupted';
    const child = spawn('ublkts', ['serve', '--foreground', '--name', name], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    await until('it starts', () => serverPids().length > 0, 60);
    child.kill('SIGINT');
    await ended;
    assert.deepEqual(await leftovers(), []);
  });
});

describe('a resident server in the foreground', { skip, timeout: 300_000 }, () => {
  leavesNothingBehind();

  test('that is killed: the command says by which signal, and exits as it', async () => {
    const { code, stderr } = await endedBy('SIGKILL', []);
    assert.equal(code, 137, stderr);
    assert.match(
      stderr,
      /^ublkts serve: the server foreground was ended by SIGKILL \(SERVER_DIED\)\nhint: .*recover -a/m,
    );
    assert.equal((await endedBy('SIGABRT', [])).code, 134);
  });

  test('that is killed: with --json it says so there', { skip: onlyLong }, async () => {
    const { code, stdout, stderr } = await endedBy('SIGKILL', ['--json']);
    assert.deepEqual([code, stderr], [137, '']);
    const { error } = JSON.parse(stdout.slice(stdout.lastIndexOf('\n{'))) as {
      error: { code: string; message: string };
    };
    assert.deepEqual([error.code, error.message], ['SERVER_DIED', 'the server foreground was ended by SIGKILL']);
  });

  test('that is asked to end: the command ends well', async () => {
    const { code, stderr } = await endedBy('SIGTERM', []);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /was ended/);
  });
});

/** Starts the server, and sends it the signal when it takes devices. */
async function endedBy(signal: NodeJS.Signals, flags: readonly string[]) {
  const child = spawn('ublkts', ['serve', '--foreground', '--name', 'foreground', ...flags]);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
  const ended = once(child, 'close') as Promise<[code: number | null]>;
  await until('it is ready', () => stdout !== '', 60);
  const [pid = 0] = serverPids();
  process.kill(pid, signal);
  const [code] = await ended;
  sh('ublkts doctor --fix');
  return { code, stdout, stderr };
}

/** Starts the command, sends it SIGINT when `moment` has come, and looks for what is left when it has ended. */
async function interrupted(words: readonly string[], moment: () => Promise<void>): Promise<void> {
  const child = spawn('ublkts', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const ended = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>;
  await moment();
  const began = performance.now();
  child.kill('SIGINT');
  const [code, signal] = await ended;
  const took = performance.now() - began;
  // Before it does anything, the signal itself ends it.
  assert.ok(code === 130 || code === 0 || signal === 'SIGINT', `exit code ${code}: ${said}`);
  assert.ok(took < 15_000, `it took ${took} ms to end: ${said}`);
  assert.deepEqual(await leftovers(), [], said);
  assert.equal(existsSync(`/dev/ublkc${ID}`), false, said);
  await until('its program has ended', () => run('pgrep -x nbdkit').status !== 0);
  assert.deepEqual(
    readdirSync(RUN).filter((name) => name.startsWith('program-')),
    [],
  );
}
