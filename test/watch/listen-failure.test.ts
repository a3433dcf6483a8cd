/** Why the counters cannot be served on an address, in words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listenFailure } from '../../src/watch/output/listen-failure.ts';

test('an address that cannot be listened on says why, also where the name of the host has not been looked up', () => {
  for (const [code, words] of [
    ['EADDRINUSE', 'Address already in use (EADDRINUSE)'],
    ['ENOTFOUND', 'no such host (ENOTFOUND)'],
    ['EAI_AGAIN', 'the name server does not answer (EAI_AGAIN)'],
    ['EAI_FAIL', 'getaddrinfo EAI_FAIL here (EAI_FAIL)'],
  ] as const) {
    const cause = Object.assign(new Error(`getaddrinfo ${code} here`), { code });
    assert.equal(listenFailure({ host: 'here', port: 9432 }, cause).message, `cannot listen on here:9432: ${words}`);
  }
});
