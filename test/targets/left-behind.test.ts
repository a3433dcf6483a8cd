/** What `open` of a target leaves to the event loop: the thread that serves must sleep there, or it never runs. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { seeWhatIsLeft } from '../../src/targets/handlers/left-behind.ts';

async function leaves(open: () => unknown): Promise<boolean> {
  return (await seeWhatIsLeft(async () => open())).isLeft;
}

test('a timer that `open` leaves is seen, also one that does not keep the program running', async () => {
  let timer: NodeJS.Timeout | undefined;
  assert.equal(await leaves(() => (timer = setInterval(() => {}, 60_000))), true);
  clearInterval(timer);
  assert.equal(await leaves(() => (timer = setInterval(() => {}, 60_000).unref())), true);
  clearInterval(timer);
});

test('a timer that has fired or was cleared, or was there before, is none', async () => {
  const before = setInterval(() => {}, 60_000).unref();
  assert.equal(await leaves(() => {}), false);
  assert.equal(await leaves(() => sleep(1)), false);
  assert.equal(await leaves(() => clearTimeout(setTimeout(() => {}, 60_000))), false);
  assert.equal(await leaves(() => clearInterval(setInterval(() => {}, 60_000).unref())), false);
  clearInterval(before);
});
