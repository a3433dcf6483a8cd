/** How much the receiver asks a socket for, where the data of requests is in registered buffers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { viewOf } from '../../../src/native/libc/ffi.ts';
import { addressOf } from '../../../src/native/words64.ts';
import { UBLK_IO_OP_READ, UBLK_IO_OP_WRITE } from '../../../src/native/uapi/ublk-io.ts';
import { ConnectionWriter } from '../../../src/stats/connection-writer.ts';
import { BLOCK_BYTES } from '../../../src/stats/layout.ts';
import type { TargetRing } from '../../../src/targets/target.ts';
import { Receiver } from '../../../src/targets/nbd/transmission/receiver.ts';
import { Waiting } from '../../../src/targets/nbd/transmission/waiting.ts';
import { requestOf, UNUSED, unstoredOf } from './requests.ts';
import { encodeSimpleReply } from './server-side.ts';

const SLOTS = 8;
const HEADER = 16;

describe('a receiver, with data in registered buffers,', () => {
  test('waits for one header, and then takes all that the socket has when no read is with the server', () => {
    const { receive, sent, answered, reply } = receiverOf();
    for (const slot of [0, 1, 2]) sent(UBLK_IO_OP_WRITE, slot);
    const first = receive();
    assert.deepEqual([first.length, first.waits], [HEADER, true]);
    assert.equal(first.gets(reply(1), true), '');
    const all = receive();
    assert.ok(all.length > SLOTS * HEADER);
    assert.equal(all.waits, false, 'it ends while it is submitted, before a read can be sent');
    assert.equal(all.gets(Buffer.concat([reply(0), reply(2)]), false), '');
    assert.deepEqual(answered, [1, 0, 2]);
    const next = receive();
    assert.deepEqual([next.length, next.waits], [HEADER, true]);
  });

  test('takes no more than a header while a read is with the server, and then the data directly', () => {
    const { receive, sent, reply } = receiverOf();
    for (const slot of [0, 1]) sent(UBLK_IO_OP_WRITE, slot);
    sent(UBLK_IO_OP_READ, 2);
    receive().gets(reply(0), true);
    const second = receive();
    assert.deepEqual([second.length, second.waits], [HEADER, false]);
    second.gets(reply(2), true);
    assert.deepEqual(receive().direct, { slot: 2, at: 0, length: 4096 });
  });

  test('takes no reply to a read that was sent after the receive: its data could go nowhere', () => {
    const { receive, sent, answered, reply } = receiverOf();
    for (const slot of [0, 1]) sent(UBLK_IO_OP_WRITE, slot);
    receive().gets(reply(0), true);
    const all = receive();
    sent(UBLK_IO_OP_READ, 2);
    const problem = all.gets(Buffer.concat([reply(1), reply(2), Buffer.alloc(4096)]), false);
    assert.match(problem, /it answers a request that is not waiting for a reply/);
    assert.deepEqual(answered, [0, 1]);
  });
});

interface Receive {
  readonly length: number;
  /** It does not look for data before it waits. */
  readonly waits: boolean;
  readonly direct: { readonly slot: number; readonly at: number; readonly length: number } | undefined;
  /** It ends with these bytes. Returns what is wrong with them. */
  gets(bytes: Buffer, hasMore: boolean): string;
}

function receiverOf() {
  const waiting = new Waiting(SLOTS, true, unstoredOf(SLOTS));
  const answered: number[] = [];
  let last: Omit<Receive, 'gets'> & { readonly address: bigint };
  const ring: TargetRing = {
    receive: (_fd, lo, hi, length, _flags, waits) =>
      void (last = { length, waits, direct: undefined, address: addressOf(lo, hi) }),
    receiveData: (_fd, slot, at, length) =>
      void (last = { length, waits: false, direct: { slot, at, length }, address: 0n }),
    sendMessage: UNUSED.fsync,
    sendData: UNUSED.fsync,
    reserve: UNUSED.fsync,
    timeout: UNUSED.fsync,
    request: UNUSED.fsync,
  };
  const receiver = new Receiver({
    ring,
    waiting,
    published: new ConnectionWriter(new Float64Array(BLOCK_BYTES / 8)),
    queue: {
      answered: (slot) => {
        waiting.answered(requestOf(UBLK_IO_OP_WRITE, slot));
        waiting.forNothing(slot);
        answered.push(slot);
      },
    },
    slots: SLOTS,
    structured: false,
    registers: true,
    token: 0,
  });
  return {
    answered,
    receive: (): Receive => {
      receiver.submit(-1, false);
      const { address, ...asked } = last;
      const gets = (bytes: Buffer, hasMore: boolean): string => {
        viewOf(address, bytes.length).set(bytes);
        return receiver.ended(bytes.length, hasMore);
      };
      return { ...asked, gets };
    },
    sent: (op: number, slot: number): void => {
      waiting.forReply(requestOf(op, slot));
      waiting.messageBegins();
    },
    reply: (slot: number): Buffer => encodeSimpleReply((BigInt(waiting.cookieHiOf(slot)) << 32n) | BigInt(slot)),
  };
}
