/** A region whose memory could not be unregistered is still shared, and can be released again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedRegion } from '../../src/client/region.ts';
import { mapAnonymous, PAGE_SIZE } from '../../src/native/memory.ts';

test('release can be tried again when it has failed, and is done once', async () => {
  const memory = mapAnonymous(PAGE_SIZE, 'of a region');
  const calls: string[] = [];
  const unregister = (): Promise<void> => {
    calls.push('unregister');
    return calls.length === 1 ? Promise.reject(new Error('busy')) : Promise.resolve();
  };
  const region = new SharedRegion({ memory, index: 0, readOnly: false, unregister, close: () => calls.push('close') });
  await assert.rejects(region.release(), /busy/);
  region.free(region.alloc(512));
  await Promise.all([region.release(), region.release()]);
  assert.deepEqual(calls, ['unregister', 'unregister', 'close']);
  assert.throws(() => region.alloc(512), /was released/);
  memory.unmap();
});
