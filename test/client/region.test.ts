/** A region whose memory could not be unregistered is still shared, and can be released again. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { SharedRegion } from '../../src/client/region.ts';
import { unlessAborted, type WaitOptions } from '../../src/control/waiting.ts';
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

test('release can be given up, and is done by the next call', async () => {
  const memory = mapAnonymous(PAGE_SIZE, 'of a region');
  const close = mock.fn();
  const region = new SharedRegion({ memory, index: 0, readOnly: false, unregister, close });
  await assert.rejects(region.release({ signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
  assert.equal(close.mock.callCount(), 0);
  await region.release();
  assert.equal(close.mock.callCount(), 1);
  memory.unmap();
});

/** Takes for ever for whoever can give it up. */
function unregister({ signal }: WaitOptions): Promise<void> {
  return signal === undefined ? Promise.resolve() : unlessAborted(new Promise(() => {}), signal);
}
