/** What a chain of entries promises, on this kernel: data-path/user-copy.ts puts a commit behind a copy. */
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { mapAnonymous, PAGE_SIZE } from '../../src/native/memory.ts';
import { Ring } from '../../src/native/ring/ring.ts';
import { IORING_OP_NOP, IORING_OP_READ, IORING_OP_WRITE } from '../../src/native/uapi/io-uring-opcodes.ts';
import { IOSQE_CQE_SKIP_SUCCESS, IOSQE_IO_LINK } from '../../src/native/uapi/io-uring-sqe-flags.ts';
import { CQE_WORD_RES, CQE_WORD_USER_DATA_LO } from '../../src/native/uapi/io-uring-words.ts';
import { skip } from './guest.ts';

const LINKED = (IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS) << 8;
const ENOSPC = 28;
const HEAD = 1;
const SECOND = 2;
const SEQUEL = 3;

describe('a linked chain whose entries are silent when they go well', { skip }, () => {
  const ring = new Ring(8, 16);
  const memory = mapAnonymous(PAGE_SIZE, 'of a test');
  const directory = mkdtempSync(path.join(tmpdir(), 'ring-'));
  const file = path.join(directory, 'hundred');
  writeFileSync(file, Buffer.alloc(100));
  const hundred = openSync(file, 'r');
  const full = openSync('/dev/full', 'w');
  after(() => {
    ring.close();
    memory.unmap();
    for (const fd of [hundred, full]) closeSync(fd);
    rmSync(directory, { recursive: true });
  });

  /** Pairs of user data and result, in the order in which they came. */
  function completions(): [number, number][] {
    ring.enter(1);
    const { cq } = ring;
    const got: [number, number][] = [];
    let head = cq.head;
    for (const tail = cq.ready(); head !== tail; head++) {
      const at = cq.at(head);
      got.push([cq.words[at + CQE_WORD_USER_DATA_LO]!, cq.words[at + CQE_WORD_RES]!]);
    }
    cq.seen(head);
    return got;
  }

  function put(opcode: number, fd: number, length: number, user: number): void {
    const lo = Number(BigInt.asIntN(32, memory.address));
    ring.sq.begin(opcode, fd, user);
    const sqe = ring.sq.entry;
    sqe.addrLo = lo;
    sqe.addrHi = Number(memory.address >> 32n);
    sqe.len = length;
  }

  test('all went well: the sequel alone completes', () => {
    put(IORING_OP_READ | LINKED, hundred, 100, HEAD);
    put(IORING_OP_READ | LINKED, hundred, 50, SECOND);
    put(IORING_OP_NOP, -1, 0, SEQUEL);
    assert.deepEqual(completions(), [[SEQUEL, 0]]);
  });

  test('one failed: it alone completes, and the sequel never runs', () => {
    put(IORING_OP_WRITE | LINKED, full, 100, HEAD);
    put(IORING_OP_READ | LINKED, hundred, 100, SECOND);
    put(IORING_OP_NOP, -1, 0, SEQUEL);
    assert.deepEqual(completions(), [[HEAD, -ENOSPC]]);
    put(IORING_OP_READ | LINKED, hundred, 100, HEAD);
    put(IORING_OP_WRITE | LINKED, full, 100, SECOND);
    put(IORING_OP_NOP, -1, 0, SEQUEL);
    assert.deepEqual(completions(), [[SECOND, -ENOSPC]]);
  });

  test('one was short: as when it failed', () => {
    put(IORING_OP_READ | LINKED, hundred, 200, HEAD);
    put(IORING_OP_NOP, -1, 0, SEQUEL);
    assert.deepEqual(completions(), [[HEAD, 100]]);
  });
});
