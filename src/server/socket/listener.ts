/**
 * The listening end of a server's socket: those of a device (/run/ublk/ublkbN.sock, /run/ublkts/N.sock), or that of a
 * resident server. A client's credentials are checked, its request is awaited for a second, and it gets one answer; one
 * that follows what happens then gets events. Everything is bounded, so that a slow client holds up nobody but itself.
 */
import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { UblkError } from '../../errors.ts';
import { MessageBuffer, peerCredentials } from '../../native/libc/unix-socket.ts';
import { ERRNO, errnoNumber } from '../../native/uapi/errno.ts';
import { refusedChange, removeFile } from '../../record/run-files.ts';
import { log } from '../log.ts';
import { Asker } from './asker.ts';
import type { Descriptors } from './descriptors.ts';
import {
  type Answer,
  encodeAnswer,
  encodeFrame,
  encodeStatus,
  HEADER_BYTES,
  MAX_REQUEST_BYTES,
} from '../../protocol/frame.ts';
import { receiveRequest } from './receive.ts';

export type Follow = (send: (event: object) => void) => () => void;

/** Carries out the requests: requests.ts. */
export interface RequestHandler {
  answer(version: number, payload: string, descriptors: Descriptors, asker: Asker): Promise<Answer>;
  registerFd(descriptors: Descriptors, readOnly: boolean, asker: Asker): Promise<{ readonly index: number }>;
  /**
   * undefined for a request that is done with its answer. Otherwise it is called after the answer, and calls `send` for each
   * event until the function that it returns is called.
   */
  follow?(payload: string): Follow | undefined;
}

/** Further connections are turned away at once. Those that follow are counted apart: they may stay for ever. */
const MAX_CONNECTIONS = 64;
const MAX_FOLLOWERS = 256;
/** How long `close` waits for the requests that are being carried out. */
const CARRIED_OUT_MS = 5_000;
/** How long a client may take to read its answer. */
const ANSWER_MS = 1000;
/** Events that a client has not read. One that has more is left behind. */
const MOST_UNREAD_BYTES = 1 << 20;

export class RequestSocket {
  readonly #requests: RequestHandler;
  readonly #server: Server;
  readonly #buffer = new MessageBuffer(HEADER_BYTES + MAX_REQUEST_BYTES + 1);
  readonly #followers = new Set<Socket>();
  #connections = 0;
  #isClosed = false;
  #isFreed = false;
  readonly #underWay = new Set<Promise<unknown>>();

  private constructor(requests: RequestHandler) {
    this.#requests = requests;
    this.#server = createServer({ pauseOnConnect: true }, (socket) => void this.#serve(socket));
  }

  static async listen(path: string, requests: RequestHandler): Promise<RequestSocket> {
    const listener = new RequestSocket(requests);
    // A server that was killed leaves its socket, and the driver lets no second server of a device live.
    removeFile(path);
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', (error) => reject(refusedChange(path, error) ?? error)).listen(path, resolve);
    });
    listener.#server.removeAllListeners('error').on('error', report);
    try {
      chmodSync(path, 0o600);
    } catch (error) {
      await listener.close();
      throw error;
    }
    return listener;
  }

  /**
   * Removes the socket's file too. Resolves when no request is being carried out any more, or after CARRIED_OUT_MS. What
   * comes on a connection that is open already is turned away: what it is about may be gone.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#server.close();
    for (const follower of this.#followers) follower.destroy();
    await Promise.race([Promise.allSettled(this.#underWay), sleep(CARRIED_OUT_MS, undefined, { ref: false })]);
    this.#freeBuffer();
  }

  async #serve(socket: Socket): Promise<void> {
    socket.on('error', () => socket.destroy());
    try {
      const { answer, follow } = await this.#answered(socket);
      if (follow === undefined) reply(socket, answer);
      else await this.#keep(socket, answer, follow);
    } catch (error) {
      report(error);
      socket.destroy();
    }
  }

  async #answered(socket: Socket): Promise<Reply> {
    this.#connections++;
    try {
      return await this.#answer(socket);
    } finally {
      this.#connections--;
      this.#freeBuffer();
    }
  }

  /** A connection that was accepted before the end may still be read from. */
  #freeBuffer(): void {
    if (!this.#isClosed || this.#connections > 0 || this.#isFreed) return;
    this.#isFreed = true;
    this.#buffer.close();
  }

  /** Sends what happens until the client leaves. */
  async #keep(socket: Socket, answer: Buffer, follow: Follow): Promise<void> {
    if (socket.destroyed) return;
    // A client that leaves while events are on their way ends the connection with an error, which is nothing to report.
    const left = new Promise((resolve) => socket.once('close', resolve));
    this.#followers.add(socket);
    // Nothing more is expected from the client, but that it leaves is seen by reading.
    socket.resume();
    socket.write(answer);
    const stop = follow((event) => {
      if (socket.writableLength > MOST_UNREAD_BYTES) socket.destroy();
      else if (socket.writable) socket.write(encodeFrame(event));
    });
    try {
      await left;
    } finally {
      stop();
      this.#followers.delete(socket);
    }
  }

  async #answer(socket: Socket): Promise<Reply> {
    if (this.#isClosed) return status(-ERRNO.ENODEV);
    if (this.#connections > MAX_CONNECTIONS) return status(-ERRNO.EBUSY);
    const fd = descriptorOf(socket);
    const peer = peerCredentials(fd);
    if (peer.uid !== 0 && peer.uid !== process.getuid?.()) return status(-ERRNO.EPERM);
    const asker = new Asker(peer, socket, fd);
    const { message, descriptors } = await receiveRequest(fd, this.#buffer);
    try {
      if (message.kind === 'failed') return status(-message.errno);
      if (message.kind === 'unknown') return status(-ERRNO.EBADMSG);
      if (this.#isClosed) return status(-ERRNO.ENODEV);
      if (message.kind === 'kublk') return status(await this.#carriedOut(this.#register(descriptors, asker)));
      const { version, payload } = message;
      const answer = await this.#carriedOut(this.#requests.answer(version, payload, descriptors, asker));
      const follow = answer.ok ? this.#requests.follow?.(payload) : undefined;
      if (follow !== undefined && this.#followers.size >= MAX_FOLLOWERS) return status(-ERRNO.EBUSY);
      return { answer: encodeAnswer(answer), follow };
    } finally {
      descriptors.close();
    }
  }

  async #carriedOut<T>(request: Promise<T>): Promise<T> {
    this.#underWay.add(request);
    try {
      return await request;
    } finally {
      this.#underWay.delete(request);
    }
  }

  async #register(descriptors: Descriptors, asker: Asker): Promise<number> {
    try {
      return (await this.#requests.registerFd(descriptors, false, asker)).index;
    } catch (error) {
      return -((error instanceof UblkError ? errnoNumber(error.code) : undefined) ?? ERRNO.EIO);
    }
  }
}

function report(error: unknown): void {
  log(`socket: ${String(error)}`);
}

interface Reply {
  readonly answer: Buffer;
  readonly follow?: Follow | undefined;
}

function status(number: number): Reply {
  return { answer: encodeStatus(number) };
}

/** The number of the socket's descriptor, which no public property has. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { _handle: { fd: number } | null };
  if (handle === null) throw new Error('the client left');
  return handle.fd;
}

function reply(socket: Socket, answer: Buffer): void {
  const timer = setTimeout(() => socket.destroy(), ANSWER_MS);
  socket.once('close', () => clearTimeout(timer));
  // Reading from the socket is off, so that only destroying it closes it. The client still reads what the kernel has taken.
  socket.write(answer, () => socket.destroy());
}
