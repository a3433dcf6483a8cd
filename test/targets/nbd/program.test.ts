/** A program of the device's own: how it is told where to listen, and that it is there for as long as the device. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { writeIdentity } from '../../../src/program/identity.ts';
import { isServing, processState, readProcess } from '../../../src/record/process-state.ts';
import { pathsOf, programOf, recordedProgram, startWords } from '../../../src/targets/nbd/program/command.ts';
import { ProgramKeeper } from '../../../src/targets/nbd/program/keeper.ts';
import { startProgram, untilListening } from '../../../src/targets/nbd/program/start.ts';
import { joinWords } from '../../../src/text/shell-words.ts';

const LISTENER = [process.execPath, '-e', 'require("net").createServer().listen(process.argv[1])', '{socket}'];

describe('a program is told where to listen', () => {
  test('nbdkit and qemu-nbd by their options', () => {
    assert.equal(started('nbdkit memory 1G'), 'nbdkit -f -U /run/s memory 1G');
    assert.equal(started('/usr/bin/qemu-nbd -r a.img'), '/usr/bin/qemu-nbd --persistent --shared=0 -k /run/s -r a.img');
  });

  test('any other, and those that are told otherwise, by {socket}', () => {
    const storage = 'qemu-storage-daemon --nbd-server addr.type=unix,addr.path={socket}';
    assert.equal(started(storage), 'qemu-storage-daemon --nbd-server addr.type=unix,addr.path=/run/s');
    assert.equal(started('nbdkit -f -U {socket} memory 1G'), 'nbdkit -f -U /run/s memory 1G');
  });

  test('and refused when nothing tells it', () => {
    assert.throws(() => programOf({ program: 'nbd-server 10809 disk' }), /nothing tells it where to listen/);
    assert.throws(() => programOf({ program: '' }), /it is empty/);
    assert.throws(() => programOf({ program: "nbdkit 'a" }), /a quote in it is not closed/);
    assert.throws(() => programOf({ program: 'nbdkit memory 1', uri: 'nbd://host' }), /is named too/);
  });

  test('it is recorded with its directory, so that it means the same everywhere', () => {
    const recorded = recordedProgram({ program: './bin/nbdkit  file disk', directory: '/srv/a' });
    assert.deepEqual(recorded, { program: '/srv/a/bin/nbdkit file disk', directory: '/srv/a' });
    assert.deepEqual(recordedProgram(recorded), recorded);
    assert.equal(recordedProgram({ program: 'nbdkit null' })['directory'], process.cwd());
  });

  test('the paths among its words are those that it may open again', () => {
    const paths = pathsOf({ words: ['qemu-nbd', '--object', 'secret,id=a,file=/mnt/k', 'a.img'], directory: '/srv' });
    for (const path of ['/srv', '/mnt/k', '/srv/a.img']) assert.ok(paths.includes(path), path);
  });
});

describe('no process of a program is left', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nbd-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const start = (words: readonly string[]) => startProgram({ words, directory: folder }, folder, join(folder, 'log'));
  const child = async (): Promise<number> => {
    const file = join(folder, 'child');
    while (!existsSync(file) || statSync(file).size === 0) await sleep(10);
    await sleep(100);
    return Number(readFileSync(file, 'utf8'));
  };

  for (const [where, how] of [
    ['in its group', ''],
    ['in a session of its own', 'setsid'],
  ] as const) {
    test(`one that it has started ${where} ends with it, when it is ended and when it dies`, async () => {
      for (const ends of ['ended', 'dies']) {
        rmSync(join(folder, 'child'), { force: true });
        const started = start(wrapper(how));
        const pid = await child();
        assert.equal(processState(pid), 'running');
        if (ends === 'dies') process.kill(started.pid, 'SIGKILL');
        else await started.end();
        assert.match(await started.ended, /was ended by SIG/);
        assert.ok(!isServing(processState(pid)), ends);
      }
    });
  }

  for (const [who, before, after] of [
    ['it', 'exec', ''],
    ['a process that it has started', '', '; true'],
  ] as const) {
    test(`the socket is found when ${who} listens in another network namespace`, {
      skip: namespaceRefusal(),
    }, async () => {
      const listen = "require('net').createServer().listen(process.argv[1])";
      const words = [
        'sh',
        '-c',
        `${before} unshare --net "$@"${after}`,
        'sh',
        process.execPath,
        '-e',
        listen,
        '{socket}',
      ];
      const program = { words, directory: folder };
      const started = start(words);
      try {
        await untilListening(program, started, folder);
      } finally {
        assert.ok(await started.end());
      }
    });
  }

  test('one that is stopped stores what it holds before it ends', async () => {
    const started = start([
      'sh',
      '-c',
      "trap 'echo stored; exit 0' TERM; echo $$ > child; while :; do sleep 0.05; done",
    ]);
    process.kill(await child(), 'SIGSTOP');
    await started.end();
    assert.match(await started.ended, /ended with exit code 0 .*stored/);
  });

  test('when the server is killed, all of them are asked to end', async () => {
    const file = new URL('../../../src/targets/nbd/program/start.ts', import.meta.url).href;
    const program = JSON.stringify({ words: wrapper(''), directory: folder });
    const script = `import { startProgram } from ${JSON.stringify(file)};
      startProgram(${program}, ${JSON.stringify(folder)}, ${JSON.stringify(join(folder, 'log'))});`;
    const server = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
    const pid = await child();
    server.kill('SIGKILL');
    for (let tries = 0; tries < 200 && isServing(processState(pid)); tries++) await sleep(25);
    assert.ok(!isServing(processState(pid)));
  });

  test('a directory that is not there is named', () => {
    const program = { words: ['true'], directory: join(folder, 'none') };
    assert.throws(() => startProgram(program, folder, join(folder, 'log')), /there is no directory .*none/);
  });
});

describe('a program is kept', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nbd-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const home = () => join(folder, 'program');
  const pid = () => Number(readFileSync(join(home(), 'process'), 'utf8').split(' ')[0]);
  const start = (words: readonly string[]) =>
    ProgramKeeper.start({ words, directory: folder }, { device: 0, folder: home(), log: join(folder, 'log') });

  test('it listens where only its owner looks, is started again when it dies, and ends with its keeper', async () => {
    const keeper = await start(LISTENER);
    assert.equal(statSync(home()).mode & 0o777, 0o700);
    assert.ok(existsSync(join(home(), 'socket')));
    const first = pid();
    process.kill(first, 'SIGKILL');
    for (let tries = 0; tries < 200 && (pid() === first || !existsSync(join(home(), 'socket'))); tries++)
      await sleep(25);
    const second = pid();
    assert.notEqual(second, first);
    await keeper.end();
    assert.equal(processState(second), 'gone');
    assert.ok(!existsSync(home()));
  });

  for (const [what, obstacle] of [
    ['be started, for lack of a log file', 'log'],
    ['be written down', 'program/process.next'],
  ] as const) {
    test(`one that cannot ${what} is tried again until it can, and its keeper lives on`, async () => {
      const keeper = await start(LISTENER);
      const first = pid();
      const path = join(folder, obstacle);
      rmSync(path, { force: true });
      mkdirSync(path);
      process.kill(first, 'SIGKILL');
      await sleep(300);
      assert.equal(pid(), first, 'no other one is there');
      rmdirSync(path);
      for (let tries = 0; tries < 100 && pid() === first; tries++) await sleep(25);
      const second = pid();
      assert.notEqual(second, first);
      assert.notEqual(processState(second), 'gone');
      await keeper.end();
      assert.equal(processState(second), 'gone');
    });
  }

  test('one that ends early is reported with its last words', async () => {
    const words = [process.execPath, '-e', 'console.error("no such image"); process.exit(3)', '{socket}'];
    await assert.rejects(start(words), /ended with exit code 3 \(no such image\) before it listened on its socket/);
    assert.ok(!existsSync(home()));
    await assert.rejects(start(['/no/such/program', '{socket}']), /code 127 \(.*\/no\/such\/program: not found\)/);
  });

  test('one that ends after it listens is reported with its last words, and not with the connection', async () => {
    const script = 'require("net").createServer().listen(process.argv[1]);setTimeout(()=>{throw "in use"}, 200)';
    const keeper = await start([process.execPath, '-e', script, '{socket}']);
    const error = new Error('connection refused');
    assert.match(String(await keeper.explain(error)), /ended with exit code 1 \(.*in use.*\) before it had said/s);
    await keeper.end();
    const lives = await start(LISTENER);
    assert.equal(await lives.explain(error), error);
    await lives.end();
  });

  test('the program of a server that is gone is ended before another one is started', async () => {
    mkdirSync(home());
    const left = spawn('sleep', ['0.5'], { detached: true });
    const { pid: leftPid = -1 } = left;
    writeIdentity(home(), { pid: leftPid, startTime: readProcess(leftPid).startTime });
    const keeper = await start(LISTENER);
    await keeper.end();
    assert.equal(left.exitCode, 0, 'it was waited for');
  });
});

/** Starts a child in the background, writes its id into the file `child`, and waits for it. */
function wrapper(how: string): string[] {
  return ['sh', '-c', `${how} sleep 60 & echo $! > child; wait`];
}

function started(program: string): string {
  const found = programOf({ program, directory: '/srv' });
  assert.ok(found !== null);
  return joinWords(startWords(found, '/run/s'));
}

/** Why there can be no other network namespace here; false where there can. */
function namespaceRefusal(): string | false {
  return spawnSync('unshare', ['--net', 'true']).status === 0 ? false : 'it takes root';
}
