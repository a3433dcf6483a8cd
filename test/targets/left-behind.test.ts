/** What `open` of a target leaves to the event loop: the thread that serves must sleep there, or it never runs. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, stat } from 'node:fs';
import { connect } from 'node:net';
import { deflateSync } from 'node:zlib';
import { seeWhatIsLeft, whenLeft } from '../../src/targets/handlers/left-behind.ts';

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

describe('of what a handler does,', () => {
  for (const [name, begin] of [
    ['a promise', () => void Promise.resolve()],
    ['a call of an async function', () => void (async () => {})()],
    ['a timer', () => setTimeout(() => {}, 1)],
    ['an immediate', () => setImmediate(() => {})],
    ['a microtask', () => queueMicrotask(() => {})],
    ['a file operation with a callback', () => stat('/', () => {})],
    ['a socket', () => connect('\0nobody').on('error', () => {})],
  ] as const) {
    test(`${name} is for the event loop, and is told of once`, () => {
      let told = 0;
      whenLeft(() => told++);
      begin();
      begin();
      assert.equal(told, 1);
    });
  }

  test('what is done at once is not', () => {
    let told = 0;
    whenLeft(() => told++);
    const file = openSync('/proc/self/exe', 'r');
    readSync(file, Buffer.alloc(16), 0, 16, 0);
    closeSync(file);
    deflateSync(randomBytes(4096));
    assert.equal(told, 0);
    void Promise.resolve();
    assert.equal(told, 1);
  });
});
