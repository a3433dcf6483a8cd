/** A message of requests as the kernel reads it: a struct msghdr, iovecs, and what they point at. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { viewOf } from '../../../src/native/libc/ffi.ts';
import { mapAnonymous } from '../../../src/native/memory.ts';
import { addressOf, wordsOf } from '../../../src/native/words64.ts';
import { Outbox } from '../../../src/targets/nbd/transmission/outbox.ts';
import {
  NBD_CMD_FLUSH,
  NBD_CMD_READ,
  NBD_CMD_WRITE,
  NBD_REQUEST_BYTES,
} from '../../../src/targets/nbd/protocol/numbers.ts';
import { decodeRequest } from './server-side.ts';

const data = mapAnonymous(4096, 'of a test');
const [dataLo, dataHi] = wordsOf(data.address);

describe('a message', () => {
  test('gives its memory back', () => {
    const outbox = new Outbox();
    outbox.add(0, NBD_CMD_READ, 3, -1, -512, 7, 4096);
    outbox.seal();
    const header = viewOf(addressOf(outbox.headerLo, outbox.headerHi), 64);
    assert.ok(header.some((byte) => byte !== 0));
    outbox.release();
    assert.ok(header.every((byte) => byte === 0));
  });

  test('has the headers and the data of writes in their order, and one iovec for headers that follow each other', () => {
    data.bytes.fill('x');
    const outbox = new Outbox();
    outbox.add(0, NBD_CMD_READ, 3, -1, -512, 7, 4096);
    outbox.add(0, NBD_CMD_FLUSH, 4, 1, 0, 0, 0);
    outbox.add(1, NBD_CMD_WRITE, 5, 2, 512, 0, 100);
    outbox.addData(dataLo, dataHi, 100);
    outbox.add(0, NBD_CMD_FLUSH, 6, 3, 0, 0, -512);
    const pieces = messageOf(outbox);
    assert.deepEqual(
      pieces.map(({ length }) => length),
      [3 * NBD_REQUEST_BYTES, 100, NBD_REQUEST_BYTES],
    );
    const bytes = Buffer.concat(pieces);
    assert.equal(bytes.length, outbox.bytes);
    assert.deepEqual(decodeRequest(bytes), {
      flags: 0,
      command: NBD_CMD_READ,
      cookie: (0xffff_ffffn << 32n) | 3n,
      offset: (7n << 32n) | 0xffff_fe00n,
      length: 4096,
    });
    assert.equal(decodeRequest(bytes, 28)?.command, NBD_CMD_FLUSH);
    assert.deepEqual(decodeRequest(bytes, 56), {
      flags: 1,
      command: NBD_CMD_WRITE,
      cookie: (2n << 32n) | 5n,
      offset: 512n,
      length: 100,
    });
    assert.equal(bytes.toString('latin1', 84, 184), 'x'.repeat(100));
    assert.equal(decodeRequest(bytes, 184)?.length, 0xffff_fe00, 'a length is unsigned');
  });

  test('has a part of its own up to each piece of data in a registered buffer, and a tail', () => {
    const outbox = new Outbox();
    outbox.add(0, NBD_CMD_READ, 1, 0, 0, 0, 512);
    outbox.add(0, NBD_CMD_WRITE, 2, 0, 0, 0, 4096);
    outbox.addRegistered(2, 4096);
    outbox.add(0, NBD_CMD_WRITE, 3, 0, 0, 0, 8192);
    outbox.addRegistered(3, 8192);
    outbox.add(0, NBD_CMD_WRITE, 4, 0, 0, 0, 100);
    outbox.addData(dataLo, dataHi, 100);
    assert.deepEqual([outbox.parts, outbox.tailBytes], [2, NBD_REQUEST_BYTES + 100]);
    assert.deepEqual([...outbox.partSlot.subarray(0, 2), ...outbox.partBytes.subarray(0, 2)], [2, 3, 4096, 8192]);
    assert.equal(outbox.bytes, 4 * NBD_REQUEST_BYTES + 4096 + 8192 + 100);
    const cookies = [0, 1, 2].map((part) => decodeRequest(Buffer.concat(messageOf(outbox, part)))?.cookie);
    assert.deepEqual(cookies, [1n, 3n, 4n]);
    assert.equal(decodeRequest(Buffer.concat(messageOf(outbox, 0)), NBD_REQUEST_BYTES)?.cookie, 2n);
    assert.deepEqual(
      [0, 1, 2].map((part) => messageOf(outbox, part).map(({ length }) => length)),
      [[2 * NBD_REQUEST_BYTES], [NBD_REQUEST_BYTES], [NBD_REQUEST_BYTES, 100]],
    );
    outbox.clear();
    outbox.add(0, NBD_CMD_WRITE, 5, 0, 0, 0, 512);
    outbox.addRegistered(5, 512);
    assert.deepEqual([outbox.parts, outbox.tailBytes], [1, 0]);
    for (let part = 1; outbox.hasRoomFor(512); part++) {
      outbox.add(0, NBD_CMD_WRITE, part, 0, 0, 0, 512);
      outbox.addRegistered(part, 512);
    }
    assert.equal(outbox.parts, outbox.partSlot.length);
  });

  test('takes no more writes than there are iovecs, and is empty when it is cleared', () => {
    const outbox = new Outbox();
    let writes = 0;
    for (; outbox.hasRoomFor(512); writes++) {
      outbox.add(0, NBD_CMD_WRITE, writes, 0, 0, 0, 512);
      outbox.addData(dataLo, dataHi, 512);
    }
    const pieces = messageOf(outbox);
    assert.ok(pieces.length <= 1024, `${pieces.length} iovecs`);
    assert.equal(pieces.length, 2 * writes);
    outbox.clear();
    assert.ok(outbox.isEmpty && outbox.hasRoomFor(1 << 20));
    outbox.add(0, NBD_CMD_FLUSH, 1, 0, 0, 0, 0);
    assert.equal(messageOf(outbox).length, 1);
  });

  test('is no longer than the kernel sends at once', () => {
    const outbox = new Outbox();
    while (outbox.hasRoomFor(8 << 20)) {
      outbox.add(0, NBD_CMD_WRITE, 0, 0, 0, 0, 8 << 20);
      outbox.addData(dataLo, dataHi, 8 << 20);
    }
    assert.ok(outbox.bytes < 2 ** 31 - 4096);
  });
});

/** What the kernel would send of a part. */
function messageOf(outbox: Outbox, part = 0): Buffer[] {
  outbox.seal();
  const header = viewOf(addressOf(outbox.partLo(part), outbox.partHi(part)), 56);
  const count = Number(header.readBigUInt64LE(24));
  const iovecs = viewOf(header.readBigUInt64LE(16), count * 16);
  return Array.from({ length: count }, (_, index) => {
    const length = Number(iovecs.readBigUInt64LE(index * 16 + 8));
    return viewOf(iovecs.readBigUInt64LE(index * 16), Math.min(length, 4096));
  });
}
