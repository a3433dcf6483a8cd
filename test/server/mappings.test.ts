/** The memory of a device, when it cannot all be mapped. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { mapDescriptors } from '../../src/server/mappings.ts';
import { FeatureSet } from '../../src/spec/features.ts';
import { ADD_DEFAULTS } from '../../src/spec/options.ts';
import { resolve } from '../../src/spec/resolve.ts';
import { nullTarget } from '../../src/targets/null/index.ts';

/** So deep that the mapping is larger than what the test itself allocates: 32 queues of 4096 descriptors. */
const spec = resolve({ ...ADD_DEFAULTS, target: 'null', depth: 4096, queues: 32 }, nullTarget, FeatureSet.all);
const NO_FILE = 999_999;

test('descriptors that cannot be mapped leave no memory behind', () => {
  const device = { id: 7, spec, generation: 1, charFd: NO_FILE };
  const before = mappedBytes();
  for (let round = 0; round < 64; round++) assert.throws(() => mapDescriptors(device), { code: 'EBADF' });
  assert.ok(mappedBytes() - before < 64 << 20, 'less than a quarter of what was asked for');
});

/** The address space that the process has. */
function mappedBytes(): number {
  const pages = Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[0]);
  return pages * 4096;
}
