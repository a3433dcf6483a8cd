/** The fields of a submission entry are those of struct io_uring_sqe, and nothing of an entry's last use is left in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SubmissionQueue } from '../../src/native/ring/submission-queue.ts';
import { decode } from '../../src/native/uapi/codec.ts';
import { io_uring_sqe } from '../../src/native/uapi/io-uring-sqe.ts';

const ENTRIES = 2;

function queue(fill: number) {
  const words = new Int32Array(16 * ENTRIES).fill(fill);
  const sq = new SubmissionQueue(words, ENTRIES, 4, true, new Int32Array(1), 0);
  return { sq, entry: (index: number) => new Uint8Array(words.buffer, index * 64, 64) };
}

test('an entry begins with zeroes, whatever was there before', () => {
  const { sq, entry } = queue(-1);
  sq.begin(0, 0, 0);
  assert.ok(entry(0).every((byte) => byte === 0));
  assert.ok(entry(1).every((byte) => byte === 0xff));
});

test('each field is where the kernel looks for it', () => {
  const { sq, entry } = queue(-1);
  sq.begin(0, 0, 0);
  sq.begin(22 | (1 << 8), -1, 0xfffffff7);
  const sqe = sq.entry;
  sqe.offLo = 0x80000001;
  sqe.offHi = 2;
  sqe.addrLo = 3;
  sqe.addrHi = 4;
  sqe.len = 5;
  sqe.opFlags = 6;
  sqe.bufIndex = 8;
  const { opcode, flags, fd, off, addr, len, rw_flags, user_data, buf_index } = decode(io_uring_sqe, entry(1));
  assert.deepEqual(
    { opcode, flags, fd, len, rw_flags, buf_index },
    { opcode: 22, flags: 1, fd: -1, len: 5, rw_flags: 6, buf_index: 8 },
  );
  assert.deepEqual([off, addr, user_data], [0x2_8000_0001n, 0x4_0000_0003n, 0xfffffff7n]);
});

test('a driver command has its own 16 bytes at the end', () => {
  const { sq, entry } = queue(0);
  sq.begin(0, 0, 0);
  const sqe = sq.entry;
  sqe.cmdOp = 0x1234;
  sqe.cmd0 = 1;
  sqe.cmd1 = 2;
  sqe.cmd2 = 3;
  sqe.cmd3 = 4;
  assert.deepEqual([...new Int32Array(entry(0).buffer, 48, 4)], [1, 2, 3, 4]);
  assert.equal(new Int32Array(entry(0).buffer, 8, 1)[0], 0x1234);
});
