import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { nodeTestArguments, readCounts } from '../../../tools/test/node-tests.ts';
import { ROOT } from '../../../tools/harness/root.ts';

const GOOD = 'test/sizes.test.ts';
const ABSENT = 'test/no-such.test.ts';

test('every file has counts of its own, and one that never ran has failed', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'ublkts-counts-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const countsFile = path.join(directory, 'counts');
  const files = [GOOD];
  const words = nodeTestArguments({ files, countsFile, concurrency: 1, timeoutSeconds: 60 });
  spawnSync(process.execPath, words, { cwd: ROOT, env: { ...process.env, NODE_TEST_CONTEXT: undefined } });
  const counts = await readCounts(countsFile, [GOOD, ABSENT]);
  assert.deepEqual([...counts.keys()], [GOOD, ABSENT]);
  assert.ok(counts.get(GOOD)!.passed > 1);
  assert.equal(counts.get(GOOD)!.failed, 0);
  assert.deepEqual(counts.get(ABSENT), { passed: 0, failed: 1, skipped: 0 });
});

test('a file whose process dies is reported with how it died', (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'ublkts-dies-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'dies.test.mjs');
  writeFileSync(file, `import { test } from 'node:test'; test('dies', () => process.kill(process.pid, 'SIGKILL'));`);
  const words = nodeTestArguments({
    files: [file],
    countsFile: `${directory}/counts`,
    concurrency: 1,
    timeoutSeconds: 60,
  });
  const { stdout } = spawnSync(process.execPath, words, {
    cwd: ROOT,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    encoding: 'utf8',
  });
  assert.ok(stdout.includes(`${file}: its process was ended by SIGKILL`), stdout);
});
