/** The processes of a program: found by their group and by the mark in their environment, and ended. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, test } from 'node:test';
import { endByThemselves, endProcesses } from '../../src/program/end.ts';
import { markedAmong, markOf } from '../../src/program/mark.ts';
import { findProcesses } from '../../src/program/processes.ts';
import { readProcess } from '../../src/record/process-state.ts';

const FOLDER = '/run/ublkts/7.program';
const PATIENCE = { endsMs: 200, diesMs: 5_000 };

const started: ChildProcess[] = [];

/** Resolves to the id of a shell that runs `script` in a session of its own, when it has written a line. */
async function shell(script: string, environment: NodeJS.ProcessEnv = markOf(FOLDER)): Promise<number> {
  const child = spawn('sh', ['-c', script], { detached: true, env: environment, stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(child);
  await once(child.stdout, 'data');
  return child.pid ?? -1;
}

describe('the processes of a program', () => {
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });

  test('are those of its group and those with its mark, and no other', async () => {
    const grouped = await shell('echo; exec sleep 60', {});
    const marked = await shell('echo; exec sleep 60');
    const longer = await shell('echo; exec sleep 60', markOf(`${FOLDER}s`));
    const found = await findProcesses({ group: grouped, since: 0, folder: FOLDER });
    assert.deepEqual(found, [grouped, marked]);
    assert.deepEqual(await markedAmong([grouped, marked, longer, 0], FOLDER), [marked]);
    assert.deepEqual(await markedAmong([], FOLDER), []);
  });

  test('nothing that was started before the program is one of them', async () => {
    const marked = await shell('echo; exec sleep 60');
    const { startTime } = readProcess(marked);
    assert.deepEqual(await findProcesses({ group: null, since: startTime, folder: FOLDER }), [marked]);
    assert.deepEqual(await findProcesses({ group: marked, since: startTime + 1, folder: FOLDER }), []);
  });

  test('are asked to end, and killed when they stay', async () => {
    const family = { group: null, since: 0, folder: FOLDER };
    await shell('trap "exit 0" TERM; echo; while :; do sleep 0.01; done');
    assert.deepEqual(await endProcesses(family, PATIENCE), []);
    const [asked] = started;
    assert.equal(asked?.exitCode, 0);
    const deaf = await shell('trap : TERM; echo; while :; do sleep 0.01; done');
    assert.deepEqual(await endByThemselves(family, 100), [deaf]);
    assert.deepEqual(await endProcesses(family, PATIENCE), []);
    assert.equal(started[1]?.signalCode, 'SIGKILL');
  });

  test('what one of them starts while it is asked to end is ended too', async () => {
    await shell('trap "setsid sleep 60 & exit 0" TERM; echo; while :; do sleep 0.01; done');
    const family = { group: null, since: 0, folder: FOLDER };
    assert.deepEqual(await endProcesses(family, PATIENCE), []);
    assert.deepEqual(await findProcesses(family), []);
  });
});
