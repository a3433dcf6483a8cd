/** What a process is doing, as the kernel says it. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { processState, type ProcessState, readOwnProcess, readProcess } from '../../src/record/process-state.ts';

async function becomes(pid: number, state: ProcessState): Promise<void> {
  for (let tries = 0; tries < 500 && processState(pid) !== state; tries++) await sleep(10);
  assert.equal(processState(pid), state);
}

test('a process runs, is stopped, goes on, and is gone', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const pid = child.pid ?? -1;
  await becomes(pid, 'running');
  child.kill('SIGSTOP');
  await becomes(pid, 'stopped');
  child.kill('SIGCONT');
  await becomes(pid, 'running');
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  await becomes(pid, 'gone');
});

test('a process that nobody has waited for is a zombie', async () => {
  // bash becomes a sleep that never waits for the child it had.
  const parent = spawn('bash', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    await becomes(Number(line.toString()), 'zombie');
  } finally {
    parent.kill('SIGKILL');
  }
});

test('no process has a number that is not above 0', () => {
  assert.equal(processState(0), 'gone');
  assert.equal(processState(-1), 'gone');
});

const IN_TIME_NAMESPACE = ['--time', '--boottime', '864000', '--fork', '--'];
const hasNamespaces = spawnSync('unshare', [...IN_TIME_NAMESPACE, 'true']).status === 0;

test('a process has started when it has, also for one with a boot time of its own', {
  skip: !hasNamespaces && 'no time namespaces, or not root',
}, () => {
  const file = new URL('../../src/record/process-state.ts', import.meta.url).href;
  const script = `const { readProcess } = await import('${file}'); console.log(readProcess(${process.pid}).startTime);`;
  const { stdout } = spawnSync('unshare', [
    ...IN_TIME_NAMESPACE,
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ]);
  assert.equal(Number(stdout.toString()), readProcess(process.pid).startTime);
  assert.equal(readOwnProcess().startTime, readProcess(process.pid).startTime);
});
