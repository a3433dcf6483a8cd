/** The program is bundled (docs/decisions/0014), but what it says about itself is about the source. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { ROOT, ublkts } from './run.ts';

test('with --debug a stack names files and lines of the source, and none of dist/', () => {
  const { stderr } = ublkts('stop -n 1000000 --debug');
  const frames = stderr.split('\n').filter((line) => line.startsWith('    at ') && line.includes(ROOT));
  assert.ok(frames.length > 2, stderr);
  for (const frame of frames) {
    const file = /\(?(?:file:\/\/)?(\/[^():]+):\d+:\d+\)?$/.exec(frame)?.[1] ?? '';
    // It is loaded before it can know that a stack will be wanted.
    if (file.endsWith('/dist/main.cjs')) continue;
    assert.match(file, /\/src\/.*\.tsx?$|\/node_modules\//, frame);
    assert.ok(existsSync(file), frame);
  }
});
