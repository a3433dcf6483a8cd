/** The processes of a program: found by their group and by the mark in their environment, and ended. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { describeLeft, endByThemselves, endProcesses } from '../../src/program/end.ts';
import { groupOfProgram, pidOfProgram, writeIdentity } from '../../src/program/identity.ts';
import { endLeftOver } from '../../src/program/left-over.ts';
import { markedAmong, markOf } from '../../src/program/mark.ts';
import { findProcesses, isEmpty } from '../../src/program/processes.ts';
import { isServing, processState, readProcess } from '../../src/record/process-state.ts';

/** Long enough for a shell to be found and to handle a signal on a busy machine. */
const PATIENT = { endsMs: 20_000, diesMs: 20_000 };
const IMPATIENT = { endsMs: 100, diesMs: 20_000 };
const LOOP = 'while :; do sleep 0.01; done';

describe('the processes of a program', () => {
  const started: ChildProcess[] = [];
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'program-'));
  });
  after(() => rmSync(folder, { recursive: true }));
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });

  /** Resolves to the id of a shell that runs `script` in a session of its own, when it has written a line. */
  async function shell(script: string, environment: NodeJS.ProcessEnv = markOf(folder)): Promise<number> {
    const child = spawn('sh', ['-c', script], {
      cwd: folder,
      detached: true,
      env: { ...environment, PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    started.push(child);
    await once(child.stdout, 'data');
    return child.pid ?? -1;
  }
  /** Runs `act` with a program before all others on the PATH that is called grep and is a shell that runs `script`. */
  async function withGrep(script: string, act: () => Promise<void>): Promise<void> {
    const before = process.env['PATH'];
    writeFileSync(join(folder, 'grep'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    process.env['PATH'] = `${folder}:${before}`;
    try {
      await act();
    } finally {
      process.env['PATH'] = before;
      rmSync(join(folder, 'grep'));
    }
  }

  const search = (group: number | null = null, since = 0) => ({ group, since, folder });
  const ours = async (...words: Parameters<typeof search>): Promise<number[]> =>
    (await findProcesses(search(...words))).ours.map(({ pid }) => pid);

  test('are found by their group also when its first process has ended and none has a mark', async () => {
    const id = await shell('echo; sleep 0.5; sleep 60 >&- &', {});
    const [leader] = started;
    writeIdentity(folder, { pid: id, startTime: readProcess(id).startTime });
    if (leader?.exitCode === null) await once(leader, 'exit');
    assert.equal(pidOfProgram(folder), null);
    assert.equal(groupOfProgram(folder), id);
    await endLeftOver(folder);
    assert.deepEqual(await ours(id), [], 'nobody is in the group any more');
  });

  test('are those of its group and those with its mark, and no other', async () => {
    const grouped = await shell(`echo; ${LOOP}`, {});
    const marked = await shell(`echo; ${LOOP}`);
    const longer = await shell(`echo; ${LOOP}`, markOf(`${folder}s`));
    assert.deepEqual((await ours(grouped)).slice(0, 1), [grouped]);
    assert.ok((await ours(grouped)).includes(marked));
    const among = await markedAmong([grouped, marked, longer, 0], folder);
    assert.deepEqual([[...among.marked], [...among.unread]], [[marked], []]);
  });

  test('are found by each of many who look at the same time', async () => {
    const marked = await shell(`echo; ${LOOP}`);
    const looks = await Promise.all(Array.from({ length: 100 }, () => markedAmong([marked], folder)));
    assert.ok(looks.every((look) => look.marked.has(marked)));
  });

  test('are found, or not known, after the thread that looks was held up', async () => {
    const marked = await shell(`echo; ${LOOP}`);
    const look = markedAmong([marked], folder);
    await Promise.resolve();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
    const { marked: found, unread } = await look;
    assert.ok(found.has(marked) || unread.has(marked));
  });

  test('nothing that was started before the program is one of them', async () => {
    const marked = await shell(`echo; ${LOOP}`);
    const { startTime } = readProcess(marked);
    assert.ok((await ours(null, startTime)).includes(marked));
    assert.ok(!(await ours(marked, startTime + 1)).includes(marked));
  });

  test('are asked to end, and killed when they stay', async () => {
    await shell(`trap "exit 0" TERM; echo; ${LOOP}`);
    assert.ok(isEmpty(await endProcesses(search(), PATIENT)));
    assert.equal(started[0]?.exitCode, 0);
    const deaf = await shell(`trap : TERM; echo; ${LOOP}`);
    assert.ok((await endByThemselves(search(), 100)).ours.some(({ pid }) => pid === deaf));
    assert.ok(isEmpty(await endProcesses(search(), IMPATIENT)));
    assert.equal(started[1]?.signalCode, 'SIGKILL');
  });

  test('one that starts while another one is asked to end is asked too, and not killed', async () => {
    await shell(`trap 'setsid sleep 60 & wait $!; echo $? > status; exit 0' TERM; echo; ${LOOP}`);
    assert.ok(isEmpty(await endProcesses(search(), PATIENT)));
    assert.equal(readFileSync(join(folder, 'status'), 'utf8'), `${128 + constants.signals.SIGTERM}\n`);
  });

  for (const [what, script] of [
    ['does not answer', 'exec sleep 60'],
    ['answers nothing', 'exit 2'],
  ] as const)
    test(`those that a grep that ${what} has not read are not known, and are not touched`, async () => {
      const grouped = await shell(`echo; ${LOOP}`);
      const other = await shell(`echo; ${LOOP}`);
      const since = readProcess(grouped).startTime;
      await withGrep(script, async () => {
        const left = await endProcesses(search(grouped, since), IMPATIENT);
        assert.ok(!left.ours.some(({ pid }) => pid === other) && left.unread.some(({ pid }) => pid === other));
        assert.match(describeLeft({ ...left, ours: [] }), /^process \d+ may be one/);
      });
      assert.ok(isServing(processState(other)));
      assert.ok(isEmpty(await endProcesses(search(grouped, since), PATIENT)));
    });

  test('may be there when the processes of the system cannot be listed', async () => {
    const marked = await shell(`echo; ${LOOP}`);
    // The limit is the shell's and its child's.
    const script = `const { endProcesses, describeLeft } = await import(${JSON.stringify(import.meta.resolve('../../src/program/end.ts'))});
      const { isThere } = await import(${JSON.stringify(import.meta.resolve('../../src/program/identity.ts'))});
      const { openSync } = await import('node:fs');
      const marked = { pid: ${marked}, startTime: ${readProcess(marked).startTime} };
      try { for (;;) openSync('/dev/null'); } catch {}
      console.log(isThere(marked), isThere({ pid: 2 ** 22 + 1, startTime: 0 }));
      console.log(describeLeft(await endProcesses(${JSON.stringify(search())}, { endsMs: 50, diesMs: 50 })));`;
    const words = ['-c', 'ulimit -n 40; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script];
    const said = execFileSync('sh', words, { encoding: 'utf8' });
    assert.match(said, /^true false\na process may be left, because processes cannot be listed: EMFILE/);
    assert.ok(isServing(processState(marked)));
  });

  test('one that has left the session of the program ends too', async () => {
    await shell(`trap "setsid sleep 60 & echo \\$! > daemon; exit 0" TERM; echo; ${LOOP}`);
    assert.ok(isEmpty(await endProcesses(search(), PATIENT)));
    const daemon = Number(readFileSync(join(folder, 'daemon'), 'utf8'));
    assert.ok(daemon > 0);
    assert.ok(!isServing(processState(daemon)));
  });
});
