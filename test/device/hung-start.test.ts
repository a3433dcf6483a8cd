/** A Node that waits for ever before it runs its script is told from one that is slow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HungStart, LOOK_MS } from '../../src/device/servers/hung-start.ts';

test('only a process that sleeps and has not run between two looks may hang', () => {
  const hung = new HungStart();
  const looks = [
    { isAsleep: true, ticks: 3 },
    { isAsleep: true, ticks: 3 },
    { isAsleep: true, ticks: 3 },
    { isAsleep: true, ticks: 4 },
    { isAsleep: true, ticks: 4 },
    { isAsleep: false, ticks: 4 },
    { isAsleep: true, ticks: 4 },
  ].map((facts) => hung.look(1, facts) / LOOK_MS);
  assert.deepEqual(looks, [0, 1, 2, 0, 1, 0, 1]);
});
