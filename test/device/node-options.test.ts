/** Which options of its caller's Node a server takes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverNodeOptions } from '../../src/device/servers/node-options.ts';

test('a server is given no module to load first that only its caller finds, and every other option', () => {
  for (const [given, taken] of [
    ['', ''],
    ['--max-old-space-size=64 --enable-source-maps', '--max-old-space-size=64 --enable-source-maps'],
    ['--import tsx --trace-warnings', '--trace-warnings'],
    ['--require ./a.cjs -r dotenv/config --import=tsx --loader x --experimental-loader=y', ''],
    [
      '-r /srv/a.cjs --import=file:///srv/a.mjs --import node:fs',
      '-r /srv/a.cjs --import=file:///srv/a.mjs --import node:fs',
    ],
    ['--require "./with space.cjs" --require "/srv/with \\"quote.cjs"', '--require "/srv/with \\"quote.cjs"'],
    ['--trace-warnings --require', '--trace-warnings'],
  ] as const)
    assert.equal(serverNodeOptions(given), taken);
});
