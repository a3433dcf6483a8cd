/**
 * Receives one request from one connection, with the descriptors that came with it.
 *
 * Node's own reading drops descriptors, so it is off here, and recvmsg reads. Nothing in Node tells when such a socket
 * has something to read: recvmsg is called again and again, first when the client has had the CPU, which sends its request
 * right after it has connected, and then with growing pauses. That costs a few calls while a client is connected and none
 * otherwise.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../../clock.ts';
import { sched_yield } from '../../native/libc/calls.ts';
import type { MessageBuffer } from '../../native/libc/unix-socket.ts';
import { ERRNO } from '../../native/uapi/errno.ts';
import { Descriptors } from './descriptors.ts';
import { classify, type Message } from '../../protocol/buffer-requests.ts';

/** The time from connecting to the end of the request. A client that sends nothing gets its error within a second. */
const REQUEST_MS = 900;
const LONGEST_PAUSE_MS = 16;

export interface Incoming {
  /** `failed`: the request did not come, or not all of it, in time; `errno` says which. */
  readonly message: Exclude<Message, { kind: 'incomplete' }> | { readonly kind: 'failed'; readonly errno: number };
  readonly descriptors: Descriptors;
}

export async function receiveRequest(socket: number, buffer: MessageBuffer): Promise<Incoming> {
  const fds: number[] = [];
  const failed = (errno: number): Incoming => ({
    message: { kind: 'failed', errno },
    descriptors: new Descriptors(fds),
  });
  const deadline = milliseconds() + REQUEST_MS;
  let bytes = Buffer.alloc(0);
  for (let pause = 0; ; ) {
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
    if (milliseconds() > deadline) return failed(ERRNO.ETIMEDOUT);
    if (pause === 0) sched_yield();
    else await sleep(pause);
    pause = Math.min(pause * 2 || 1, LONGEST_PAUSE_MS);
  }
}
