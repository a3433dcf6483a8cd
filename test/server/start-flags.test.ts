import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { START_FLAGS } from '../../src/server/v8-flags.ts';

test('a rejection that nobody handles ends a server on each of its threads, whatever NODE_OPTIONS says', () => {
  const reject = 'Promise.reject(new Error("unhandled")); setTimeout(() => console.log("goes on"), 100);';
  const onThread = `const { Worker } = require("node:worker_threads");
    new Worker(${JSON.stringify(reject)}, { eval: true }).on("error", ({ message }) => console.log(message));`;
  const env = { NODE_OPTIONS: '--unhandled-rejections=warn' };
  const run = (code: string): string =>
    spawnSync(process.execPath, [...START_FLAGS, '-e', code], { encoding: 'utf8', env }).stdout;
  assert.equal(run(reject), '');
  assert.equal(run(onThread), 'unhandled\n');
});
