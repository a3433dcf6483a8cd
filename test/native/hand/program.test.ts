/** The hand: a program of one page or two that makes one call. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { endOf, startHand } from '../../../src/native/hand/start.ts';
import { handProgram, hasHandProgram } from '../../../src/native/hand/program.ts';
import { ANSWERED, type FileTask, type HandTask } from '../../../src/native/hand/task.ts';
import { ERRNO } from '../../../src/native/uapi/errno.ts';
import { ROOT } from '../../cli/run.ts';

const skip = hasHandProgram(process.arch) ? false : `there is no code for ${process.arch}`;
const folder = mkdtempSync(join(tmpdir(), 'hand-'));
after(() => rmSync(folder, { recursive: true }));
const deep = join(folder, ...Array.from({ length: 16 }, () => 'd'.repeat(250)));
const file = join(deep.slice(0, 3900), 'fïle');
mkdirSync(join(file, '..'), { recursive: true });
writeFileSync(file, 'some bytes');

test('it runs and ends, also where descriptor 3 is no ring', { skip }, () => {
  assert.deepEqual(outcome(asProgram({ call: 'ring', entries: 2 })), { status: 0, signal: null });
});

for (const [how, run, isSkipped] of [
  ['as a program', asProgram, skip],
  ['as a script of Node', asScript, false],
] as const) {
  describe(`a call on a file ${how}`, { skip: isSkipped }, () => {
    test('its exit code is the errno', () => {
      for (const [task, errno] of [
        [{ call: 'stat', path: file }, 0],
        [{ call: 'stat', path: join(folder, 'missing') }, ERRNO.ENOENT],
        [{ call: 'stat', path: join(file, 'below') }, ERRNO.ENOTDIR],
        [{ call: 'fallocate', path: join(folder, 'missing'), bytes: 1 }, ERRNO.ENOENT],
        [{ call: 'fallocate', path: folder, bytes: 1 }, ERRNO.EISDIR],
        [{ call: 'fallocate', path: '/dev/null', bytes: 1 }, ERRNO.ENODEV],
      ] satisfies [FileTask, number][]) {
        assert.deepEqual(outcome(run(task)), { status: ANSWERED + errno, signal: null }, JSON.stringify(task));
      }
    });

    test('makes a file larger, by more than 32 bits too, and never shorter', () => {
      const large = join(folder, `large ${how}`);
      writeFileSync(large, 'some bytes');
      for (const [bytes, size] of [
        [5 * 2 ** 32 + 1, 5 * 2 ** 32 + 1],
        [10, 5 * 2 ** 32 + 1],
      ] as const) {
        const task: HandTask = { call: 'fallocate', path: large, bytes };
        assert.deepEqual(outcome(run(task)), { status: ANSWERED, signal: null });
        assert.equal(statSync(large).size, size);
      }
      const start = Buffer.alloc(10);
      const fd = openSync(large, 'r');
      readSync(fd, start, 0, 10, 0);
      closeSync(fd);
      assert.equal(start.toString(), 'some bytes');
    });
  });
}

test('it is started, and its exit code is told', async () => {
  assert.equal(await endOf(startHand({ call: 'stat', path: file }, { title: 'ublkts: test' })), ANSWERED);
  const missing = startHand({ call: 'stat', path: join(folder, 'missing') }, { title: 'ublkts: test' });
  assert.equal(await endOf(missing), ANSWERED + ERRNO.ENOENT);
});

function asProgram(task: HandTask): SpawnSyncReturns<Buffer> {
  const program = join(folder, 'program');
  writeFileSync(program, handProgram(task));
  chmodSync(program, 0o755);
  return spawnSync(program, [], { timeout: 10_000 });
}

function asScript(task: HandTask): SpawnSyncReturns<Buffer> {
  return spawnSync(process.execPath, [join(ROOT, 'src/native/hand/main.ts'), JSON.stringify(task)], {
    timeout: 30_000,
  });
}

function outcome({ status, signal }: SpawnSyncReturns<Buffer>): Pick<SpawnSyncReturns<Buffer>, 'status' | 'signal'> {
  return { status, signal };
}
