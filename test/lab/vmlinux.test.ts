import assert from 'node:assert/strict';
import test from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { unpackKernel } from '../../src/lab/vmlinux.ts';

test('the kernel is found where the boot header says', () => {
  const kernel = Buffer.from('\u007fELF and so on');
  assert.deepEqual(unpackKernel(bzImage(zstdCompressSync(kernel))), kernel);
});

test('a kernel that is compressed in another way is left as it is', () => {
  assert.equal(unpackKernel(bzImage(Buffer.from('\u001f\u008b gzip', 'latin1'))), undefined);
});

/** A boot sector, two setup sectors, and 32 bytes before the payload and its size. */
function bzImage(payload: Buffer): Buffer {
  const setup = Buffer.alloc(3 * 512 + 32);
  setup.writeUInt8(2, 0x1f1);
  setup.writeUInt32LE(32, 0x248);
  setup.writeUInt32LE(payload.length + 4, 0x24c);
  return Buffer.concat([setup, payload, Buffer.alloc(4), Buffer.alloc(100)]);
}
