/** A queue over a backing file: what becomes of an operation that did not end well. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRNO } from '../../src/native/uapi/errno.ts';
import {
  UBLK_IO_F_NOUNMAP,
  UBLK_IO_OP_FLUSH,
  UBLK_IO_OP_READ,
  UBLK_IO_OP_WRITE,
  UBLK_IO_OP_WRITE_ZEROES,
} from '../../src/native/uapi/ublk-io.ts';
import { LoopQueue } from '../../src/targets/loop/queue.ts';
import type { IoRequest, QueueContext } from '../../src/targets/target.ts';

const { EINTR, EIO, ENOSPC } = ERRNO;
const BYTES = 8192;
const TMPFS = { punches: true, zeroes: false, allocates: true, granularity: 4096 };

/** Serves a request of 8 KiB at sector 8. The operations end with `results`, one after the other; returns them, and what the request ended with. */
function serve(op: number, results: readonly number[], flags = 0): { started: string[]; ended: number[] } {
  const started: string[] = [];
  const ended: number[] = [];
  const tokens: number[] = [];
  const start = (what: string, token: number): void => {
    started.push(what);
    tokens.push(token);
  };
  const place = { slot: 0, startLo: 8, startHi: 0, sectors: BYTES / 512, bytes: BYTES };
  const io = {
    op,
    flags,
    ...place,
    result: 0,
    get pending() {
      return tokens.length;
    },
    read: (_file: number, lo: number, _hi: number, at: number, length: number, token: number) =>
      start(`read ${length} at ${lo} to ${at}`, token),
    write: (_file: number, lo: number, _hi: number, at: number, length: number, _flags: number, token: number) =>
      start(`write ${length} at ${lo} from ${at}`, token),
    fsync: (_file: number, token: number) => start('sync', token),
    fallocate: (_file: number, mode: number, lo: number, _hi: number, length: number, _more: number, token: number) =>
      start(`mode ${mode}: ${length} at ${lo}`, token),
    complete: (result: number) => void ended.push(result),
  } as unknown as IoRequest;
  const queue = new LoopQueue({
    state: { holes: TMPFS, offset: 0 },
    slots: 1,
    integrity: null,
  } as unknown as QueueContext<{ holes: typeof TMPFS; offset: number }>);
  queue.queueIo(io);
  for (const result of results) queue.operationDone(io, tokens.shift() ?? -1, result);
  return { started, ended };
}

test('an operation that a signal has interrupted is started again', () => {
  assert.deepEqual(serve(UBLK_IO_OP_READ, [-EINTR, BYTES]), {
    started: ['read 8192 at 4096 to 0', 'read 8192 at 4096 to 0'],
    ended: [BYTES],
  });
  assert.deepEqual(serve(UBLK_IO_OP_WRITE, [4096, -EINTR, 4096]), {
    started: ['write 8192 at 4096 from 0', 'write 4096 at 8192 from 4096', 'write 4096 at 8192 from 4096'],
    ended: [BYTES],
  });
  assert.deepEqual(serve(UBLK_IO_OP_FLUSH, [-EINTR, 0]).started, ['sync', 'sync']);
  assert.deepEqual(serve(UBLK_IO_OP_WRITE_ZEROES, [-EINTR, 0, -EINTR, 0], UBLK_IO_F_NOUNMAP), {
    started: ['mode 3: 8192 at 4096', 'mode 3: 8192 at 4096', 'mode 1: 8192 at 4096', 'mode 1: 8192 at 4096'],
    ended: [BYTES],
  });
});

test('an error is that of the request', () => {
  assert.deepEqual(serve(UBLK_IO_OP_WRITE, [-ENOSPC]).ended, [-ENOSPC]);
  assert.deepEqual(serve(UBLK_IO_OP_READ, [4096, 0]).ended, [-EIO]);
});
