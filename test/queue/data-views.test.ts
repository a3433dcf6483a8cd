/** The bytes of requests as targets see them, in real memory: the target cannot take it away, nor end the server with it. */
import assert from 'node:assert/strict';
import { closeSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { createMemfd, mapAnonymous, mapFile } from '../../src/native/memory.ts';
import { DataViews } from '../../src/queue/data-views.ts';
import { ShmemTable } from '../../src/queue/shmem-table.ts';
import { slotsOfDevice } from '../../src/queue/slots.ts';
import type { ThreadConfig } from '../../src/queue/thread-config.ts';

const BYTES = 8192;

test('a write into memory that is registered read-only changes a copy, and does not end the process', () => {
  const { views, table, own } = made();
  const fd = createMemfd('views', BYTES);
  writeSync(fd, Buffer.alloc(BYTES, 'client'), 0, BYTES, 0);
  const { address, length } = mapFile(fd, BYTES, 'of a test', { readOnly: true });
  closeSync(fd);
  table.publish(0, { address, length, readOnly: true }, 1);
  const view = views.matched(1, 0, 4096, 4096);
  assert.ok(view.equals(Buffer.alloc(BYTES, 'client').subarray(4096)));
  view.fill('x');
  assert.ok(own.subarray(BYTES, BYTES + 4096).equals(view), "the copy is in the slot's own buffer");
  assert.ok(views.matched(1, 0, 4096, 4096).equals(Buffer.alloc(BYTES, 'client').subarray(4096)));
  assert.ok(views.isCopied(0));
});

test("memory that is registered for both is the client's own", () => {
  const { views, table } = made();
  const memory = mapAnonymous(BYTES, 'of a test');
  table.publish(0, { address: memory.address, length: BYTES, readOnly: false }, 1);
  views.matched(1, 0, 512, 512).fill('x');
  assert.equal(memory.bytes.toString('latin1', 511, 514), '\0xx');
  assert.ok(!views.isCopied(0));
});

test('a target that transfers its buffer to itself does not take the memory from later requests', () => {
  const { views, table, own } = made();
  const taken = views.own(0, 4096).buffer as ArrayBuffer;
  assert.throws(() => structuredClone(taken, { transfer: [taken] }), { name: 'DataCloneError' });
  taken.transfer();
  views.own(0, 4096).fill('a');
  assert.ok(own.subarray(0, 4096).equals(Buffer.alloc(4096, 'a')));

  const memory = mapAnonymous(BYTES, 'of a test');
  table.publish(0, { address: memory.address, length: BYTES, readOnly: false }, 1);
  (views.matched(0, 0, 0, 512).buffer as ArrayBuffer).transfer();
  views.matched(0, 0, 0, 512).fill('b');
  assert.ok(memory.bytes.subarray(0, 512).equals(Buffer.alloc(512, 'b')));
});

test('memory that a request leaves behind is known by its address, to be unmapped when the thread has ended', () => {
  const { views } = made();
  assert.deepEqual(views.mapped, []);
  const [giveBack] = [views.replace(0), views.replace(0)];
  assert.equal(new Set(views.mapped).size, 2);
  giveBack();
  views.replace(1);
  assert.equal(views.mapped.length, 2, 'it is used again');
});

/** Two slots with a buffer each, side by side in `own`. */
function made(): { views: DataViews; table: ShmemTable; own: Buffer } {
  const memory = mapAnonymous(2 * BYTES, 'of a test');
  const spec = { queues: 1, depth: 2, ioDescSize: 24, maxIoBufBytes: BYTES };
  const config = { spec, buffers: memory.address, integrityBuffers: 0n, queueDescriptorBytes: 4096 };
  const table = new ShmemTable(new SharedArrayBuffer(ShmemTable.BYTES));
  const slots = slotsOfDevice(config as unknown as ThreadConfig, 0);
  return { views: new DataViews(slots, table, BYTES), table, own: memory.bytes };
}
