/** The hand: a program of one page or two that makes one call. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { endOf, startHand } from '../../../src/native/hand/start.ts';
import { handProgram, hasHandProgram } from '../../../src/native/hand/program.ts';
import type { FileTask, HandTask } from '../../../src/native/hand/task.ts';
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
        [{ call: 'truncate', path: join(folder, 'missing'), bytes: 1 }, ERRNO.ENOENT],
        [{ call: 'truncate', path: folder, bytes: 1 }, ERRNO.EISDIR],
      ] satisfies [FileTask, number][]) {
        assert.deepEqual(outcome(run(task)), { status: errno, signal: null }, JSON.stringify(task));
      }
    });

    test('truncates to sizes of more than 32 bits', () => {
      const bytes = 5 * 2 ** 32 + 1;
      assert.deepEqual(outcome(run({ call: 'truncate', path: file, bytes })), { status: 0, signal: null });
      assert.equal(statSync(file).size, bytes);
      assert.deepEqual(outcome(run({ call: 'truncate', path: file, bytes: 10 })), { status: 0, signal: null });
      assert.equal(statSync(file).size, 10);
    });
  });
}

test('it is started, and its exit code is told', async () => {
  assert.equal(await endOf(startHand({ call: 'stat', path: file }, { title: 'ublkts: test' })), 0);
  const missing = join(folder, 'missing');
  assert.equal(await endOf(startHand({ call: 'stat', path: missing }, { title: 'ublkts: test' })), ERRNO.ENOENT);
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
