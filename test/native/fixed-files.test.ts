/** The table of fixed files of a ring that changes while the ring is used, on the io_uring of this machine. */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { mapAnonymous } from '../../src/native/memory.ts';
import { Ring } from '../../src/native/ring/ring.ts';
import { isRingRefusal } from '../../src/native/ring/setup-failure.ts';
import { ERRNO } from '../../src/native/uapi/errno.ts';
import { IORING_OP_READ } from '../../src/native/uapi/io-uring-opcodes.ts';
import { IOSQE_FIXED_FILE } from '../../src/native/uapi/io-uring-sqe-flags.ts';
import { CQE_WORD_RES } from '../../src/native/uapi/io-uring-words.ts';
import { wordsOf } from '../../src/native/words64.ts';

test('a file is put into the table of a ring, used, and taken out again', (context) => {
  const ring = ringOrNull();
  if (ring === null) {
    context.skip('io_uring is not allowed here');
    return;
  }
  const memory = mapAnonymous(4096, 'of a test');
  const read = (place: number): number => {
    ring.sq.begin(IORING_OP_READ | (IOSQE_FIXED_FILE << 8), place, 0);
    const sqe = ring.sq.entry;
    [sqe.addrLo, sqe.addrHi] = wordsOf(memory.address);
    sqe.len = 16;
    ring.enter(1);
    const result = ring.cq.words[ring.cq.at(ring.cq.head) + CQE_WORD_RES]!;
    ring.cq.seen((ring.cq.head + 1) | 0);
    return result;
  };
  const fds = [openSync('/dev/zero', 'r'), openSync(import.meta.filename, 'r')];
  try {
    const table = ring.registry.registerFileTable(8);
    assert.equal(read(5), -ERRNO.EBADF);
    table.put(5, fds);
    assert.equal(read(6), 16);
    assert.equal(memory.bytes.toString('latin1', 0, 4), '/** ');
    assert.equal(read(5), 16);
    assert.equal(memory.bytes[0], 0);
    table.empty(5, 2);
    assert.equal(read(6), -ERRNO.EBADF);
    table.put(6, fds.slice(1));
    assert.equal(read(5), -ERRNO.EBADF);
    assert.equal(read(6), 16);
    assert.throws(() => table.put(2, [...fds, 0x7fffffff]), { message: /took 2 of 3 files/ });
    assert.throws(() => table.put(2, [0x7fffffff]), { code: 'EBADF' });
    table.release();
  } finally {
    for (const fd of fds) closeSync(fd);
    ring.close();
    memory.unmap();
  }
});

function ringOrNull(): Ring | null {
  try {
    return new Ring(4, 8);
  } catch (error) {
    if (isRingRefusal(error)) return null;
    throw error;
  }
}
