/** A program of the device's own: how it is told where to listen, and that it is there for as long as the device. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { processState, readProcess } from '../../../src/record/process-state.ts';
import { pathsOf, programOf, recordedProgram, startWords } from '../../../src/targets/nbd/program/command.ts';
import { ProgramKeeper } from '../../../src/targets/nbd/program/keeper.ts';
import { writeProcess } from '../../../src/targets/nbd/program/left-over.ts';
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

describe('a program is kept', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nbd-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const home = () => join(folder, 'program');
  const pid = () => Number(readFileSync(join(home(), 'process'), 'utf8').split(' ')[0]);
  const start = (words: readonly string[]) =>
    ProgramKeeper.start({ words, directory: folder }, home(), join(folder, 'log'));

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
    await assert.rejects(start(['/no/such/program', '{socket}']), /failed to execute \/no\/such\/program/);
  });

  test('the program of a server that is gone is ended before another one is started', async () => {
    mkdirSync(home());
    const left = spawn('sleep', ['0.5']);
    const { pid: leftPid = -1 } = left;
    writeProcess(home(), { pid: leftPid, startTime: readProcess(leftPid).startTime });
    const keeper = await start(LISTENER);
    await keeper.end();
    assert.equal(left.exitCode, 0, 'it was waited for');
  });
});

function started(program: string): string {
  const found = programOf({ program, directory: '/srv' });
  assert.ok(found !== null);
  return joinWords(startWords(found, '/run/s'));
}
