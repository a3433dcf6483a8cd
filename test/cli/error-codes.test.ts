import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ERROR_CODE_MEANINGS } from '../../src/cli/failures/error-codes.ts';
import { errnoNumber } from '../../src/native/uapi/errno.ts';

/** `code: 'WORD'`, `code = 'WORD'`, and the constants that stand for one. */
const CODE =
  /\b(?:code(?:: | = )|const (?:NO_SERVER|SERVER_DIED|DIED|TIMEOUT|INTERRUPTED|UNKNOWN_COMMAND) = )'([A-Z_]+)'/g;

test('the documents have the meaning of every code that is no errno, and of no other', () => {
  const used = globSync('src/**/*.ts').flatMap((file) => [...readFileSync(file, 'utf8').matchAll(CODE)]);
  const own = new Set(used.map(([, code]) => code ?? '').filter((code) => errnoNumber(code) === undefined));
  assert.deepEqual([...own].sort(), ERROR_CODE_MEANINGS.map(([code]) => code).sort());
});
