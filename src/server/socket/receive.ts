/**
 * One request from one connection, with what descriptors came beside it.
 *
 * Node reads sockets by itself but drops descriptors, so its reading is off here and recvmsg asks: at once, and then
 * again and again with growing pauses, as nothing in Node says when such a socket has something to read. That costs a
 * few calls while a client is connected and none while nobody is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageBuffer } from '../../native/libc/unix-socket.ts';
import { ERRNO } from '../../native/uapi/errno.ts';
import { Descriptors } from './descriptors.ts';
import { classify, type Message } from '../../protocol/buffer-requests.ts';

/** From connecting to the end of the request: who says nothing hears so within a second. */
const REQUEST_MS = 900;
const LONGEST_PAUSE_MS = 16;

export interface Incoming {
  /** `failed`: nothing, or not all of it, came in time; `errno` says which. */
  readonly message: Exclude<Message, { kind: 'incomplete' }> | { readonly kind: 'failed'; readonly errno: number };
  readonly descriptors: Descriptors;
}

export async function receiveRequest(socket: number, buffer: MessageBuffer): Promise<Incoming> {
  const fds: number[] = [];
  const failed = (errno: number): Incoming => ({
    message: { kind: 'failed', errno },
    descriptors: new Descriptors(fds),
  });
  const deadline = performance.now() + REQUEST_MS;
  let bytes = Buffer.alloc(0);
  for (let pause = 1; ; ) {
    const received = buffer.receive(socket);
    fds.push(...received.fds);
    if (received.result > 0) {
      bytes = Buffer.concat([bytes, received.bytes]);
      const message = classify(bytes, fds.length);
      if (message.kind !== 'incomplete') return { message, descriptors: new Descriptors(fds) };
      continue;
    }
    if (received.result === 0) return failed(ERRNO.ENODATA);
    if (received.result !== -ERRNO.EAGAIN) return failed(-received.result);
    if (performance.now() > deadline) return failed(ERRNO.ETIMEDOUT);
    await sleep(pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}
