/**
 * The listening end of /run/ublk/ublkbN.sock. A client's credentials are checked, its request is awaited for a second,
 * and it gets one answer. Everything is bounded, so that a slow client holds up nobody but itself.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { UblkError } from '../../errors.ts';
import { MessageBuffer, type PeerCredentials, peerCredentials } from '../../native/libc/unix-socket.ts';
import { ERRNO, errnoNumber } from '../../native/uapi/errno.ts';
import type { Descriptors } from './descriptors.ts';
import { type Answer, encodeAnswer, encodeStatus, HEADER_BYTES, MAX_REQUEST_BYTES } from '../../protocol/frame.ts';
import { receiveRequest } from './receive.ts';

/** Carries out the requests: requests.ts. */
export interface RequestHandler {
  answer(version: number, payload: string, descriptors: Descriptors, peer: PeerCredentials): Promise<Answer>;
  registerFd(descriptors: Descriptors, readOnly: boolean, peer: PeerCredentials): Promise<{ readonly index: number }>;
}

/** Further connections are turned away at once. */
const MAX_CONNECTIONS = 64;
/** How long a client may take to read its answer. */
const ANSWER_MS = 1000;

export class SharedMemorySocket {
  readonly #requests: RequestHandler;
  readonly #server: Server;
  readonly #buffer = new MessageBuffer(HEADER_BYTES + MAX_REQUEST_BYTES + 1);
  #connections = 0;

  private constructor(requests: RequestHandler) {
    this.#requests = requests;
    this.#server = createServer({ pauseOnConnect: true }, (socket) => void this.#serve(socket));
  }

  static async listen(path: string, requests: RequestHandler): Promise<SharedMemorySocket> {
    const listener = new SharedMemorySocket(requests);
    // A server that was killed leaves its socket, and the driver lets no second server of a device live.
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', reject).listen(path, resolve);
    });
    chmodSync(path, 0o600);
    return listener;
  }

  /** Removes the socket's file too. */
  close(): void {
    this.#server.close();
  }

  async #serve(socket: Socket): Promise<void> {
    socket.on('error', () => socket.destroy());
    this.#connections++;
    try {
      reply(socket, await this.#answer(socket));
    } catch (error) {
      process.stderr.write(`${new Date().toISOString()} shared memory socket: ${String(error)}\n`);
      socket.destroy();
    } finally {
      this.#connections--;
    }
  }

  async #answer(socket: Socket): Promise<Buffer> {
    if (this.#connections > MAX_CONNECTIONS) return encodeStatus(-ERRNO.EBUSY);
    const fd = descriptorOf(socket);
    const peer = peerCredentials(fd);
    if (peer.uid !== 0 && peer.uid !== process.getuid?.()) return encodeStatus(-ERRNO.EPERM);
    const { message, descriptors } = await receiveRequest(fd, this.#buffer);
    try {
      if (message.kind === 'failed') return encodeStatus(-message.errno);
      if (message.kind === 'unknown') return encodeStatus(-ERRNO.EBADMSG);
      if (message.kind === 'kublk') return encodeStatus(await this.#register(descriptors, peer));
      return encodeAnswer(await this.#requests.answer(message.version, message.payload, descriptors, peer));
    } finally {
      descriptors.close();
    }
  }

  async #register(descriptors: Descriptors, peer: PeerCredentials): Promise<number> {
    try {
      return (await this.#requests.registerFd(descriptors, false, peer)).index;
    } catch (error) {
      return -((error instanceof UblkError ? errnoNumber(error.code) : undefined) ?? ERRNO.EIO);
    }
  }
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
  // Reading from the socket is off, so that only destroying it closes it.
  socket.end(answer, () => socket.destroy());
}
