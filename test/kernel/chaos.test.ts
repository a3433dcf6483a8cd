/** Rounds of the chaos program (tools/chaos.ts), always the same ones: two, or ten with UBLKTS_LONG=1. More of them: `npm run test:chaos`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { leavesNothingBehind, skip } from './guest.ts';
import { LONG } from './support/long.ts';

const SEED = '4884';
const LAST = LONG ? '9' : '1';

leavesNothingBehind();

test('devices survive what happens to them, and no acknowledged write is lost', { skip }, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/chaos/guest.ts', SEED, '0', LAST], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
});
