/** Several commands that recover the same devices at the same time. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import { exclusively } from '../../src/device/recover/device-lock.ts';
import { describeDevice, leavesNothingBehind, type Outcome, run, sh, shFails, skip } from './guest.ts';
import { killServer } from './support/devices.ts';
import { LONG, onlyLong } from './support/long.ts';

const ROUNDS = LONG ? 3 : 1;
const DEVICES = [1, 2, 3];

describe('recover', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();
  afterEach(() => run('ublkts del -a'));

  test('cannot be kept away by a user who is not root', async () => {
    add([1]);
    const squatter = createServer().listen('\0ublkts-recover-1');
    await once(squatter, 'listening');
    try {
      await killServer(1);
      sh('ublkts recover -n 1');
    } finally {
      squatter.close();
    }
    const { mode, uid } = statSync('/run/ublkts/recover.lock');
    assert.deepEqual([mode & 0o777, uid], [0o600, 0]);
    sh('ublkts del -n 1');
    // Nothing of it is a matter for doctor.
    assert.doesNotMatch(run('ublkts doctor').stdout, /recover\.lock/);
  });

  test('is refused while another command recovers the device', async () => {
    add([1]);
    await killServer(1);
    await exclusively(1, 'recover', () => {
      shFails(
        'ublkts recover -n 1',
        /device 1 cannot be changed: another process is using it \(recover\) \(EBUSY\)\nhint: wait until that command has ended/,
      );
      return Promise.resolve();
    });
    sh('ublkts recover -n 1 && ublkts del -n 1');
  });

  test('twice from two network namespaces: one of them recovers the device', { skip: onlyLong }, async () => {
    add([1]);
    for (let round = 0; round < ROUNDS; round++) {
      await killServer(1);
      const codes = atOnce('unshare -n ublkts recover -n 1', 'ublkts recover -n 1');
      assert.ok(
        codes.some(({ status }) => status === 0),
        JSON.stringify(codes),
      );
      for (const { status, stderr } of codes)
        if (status !== 0) assert.match(stderr, /another process is using it|is live/);
      assert.equal((await describeDevice(1)).state, 'LIVE');
    }
    sh('ublkts del -n 1');
  });

  test('-a twice: both succeed, and each device is recovered once', { skip: onlyLong }, async () => {
    add(DEVICES);
    for (let round = 0; round < ROUNDS; round++) {
      for (const id of DEVICES) await killServer(id);
      const outcomes = atOnce('ublkts recover -a --json', 'ublkts recover -a --json');
      for (const { status, stdout, stderr } of outcomes) assert.equal(status, 0, stdout + stderr);
      const said = outcomes.map(({ stdout }) => JSON.parse(stdout) as { recovered: number[]; failed: unknown[] });
      assert.deepEqual(
        said.flatMap(({ recovered }) => recovered).toSorted((a, b) => a - b),
        DEVICES,
      );
      assert.deepEqual(
        said.flatMap(({ failed }) => failed),
        [],
      );
    }
    sh('ublkts del -a');
  });
});

function add(ids: readonly number[]): void {
  for (const id of ids) sh(`ublkts add -t null -q 1 -n ${id} -i 1`);
}

/** Runs both scripts at the same time. */
function atOnce(...scripts: readonly [string, string]): Outcome[] {
  const parts = scripts.map(
    (script, index) => `(${script}) > /tmp/once-${index} 2> /tmp/once-${index}.err & pids+=($!)`,
  );
  const [first, second] = sh(`pids=(); ${parts.join('\n')}
    for pid in \${pids[@]}; do wait $pid && echo 0 || echo $?; done`).split('\n');
  return [first, second].map((status, index) => ({
    status: Number(status),
    stdout: sh(`cat /tmp/once-${index}`),
    stderr: sh(`cat /tmp/once-${index}.err`),
  }));
}
