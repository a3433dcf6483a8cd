/** Carries out the requests that come over the socket. Every outcome, good or bad, is an answer. */
import { UblkError } from '../../errors.ts';
import type { PeerCredentials } from '../../native/libc/unix-socket.ts';
import type { ShmemRegistry } from '../shared-memory/registry.ts';
import type { StoredBuffer } from '../../record/device-record.ts';
import type { Descriptors } from './descriptors.ts';
import type { RequestHandler } from './listener.ts';
import { type Answers, type BufferAnswer, parseRequest, type Request } from '../../protocol/buffer-requests.ts';
import { encodeError } from '../../protocol/error-wire.ts';
import { type Answer, otherVersion, PROTOCOL_VERSION } from '../../protocol/frame.ts';

/** A request is answered within this time, with the outcome or with TIMEOUT; its work may still be done later. */
const ANSWER_SECONDS = 30;

export class Requests implements RequestHandler {
  readonly #device: number;
  readonly #registry: ShmemRegistry;

  constructor(device: number, registry: ShmemRegistry) {
    this.#device = device;
    this.#registry = registry;
  }

  async answer(version: number, payload: string, descriptors: Descriptors, peer: PeerCredentials): Promise<Answer> {
    try {
      if (version !== PROTOCOL_VERSION) throw otherVersion(version);
      return { ok: true, value: await this.#inTime(this.#carryOut(parseRequest(payload), descriptors, peer)) };
    } catch (error) {
      return { ok: false, error: { ...encodeError(error), device: this.#device } };
    }
  }

  /** The request of kublk's clients, which ublkts's clients make too. */
  async registerFd(descriptors: Descriptors, readOnly: boolean, { pid }: PeerCredentials): Promise<StoredBuffer> {
    return this.#inTime(this.#registry.registerFd(descriptors.take(), readOnly, `pid ${pid}`));
  }

  async #carryOut(request: Request, descriptors: Descriptors, peer: PeerCredentials): Promise<Answers[keyof Answers]> {
    switch (request.op) {
      case 'register':
        return bufferAnswer(await this.#registry.registerPath(request.path, request.readOnly, descriptors.takeAny()));
      case 'register-fd':
        return bufferAnswer(await this.registerFd(descriptors, request.readOnly, peer));
      case 'create':
        return bufferAnswer(await this.#registry.createMemfd(request));
      case 'unregister':
        await this.#registry.unregister(request.index, request.inode);
        return null;
      case 'unregister-all':
        return this.#registry.unregisterAll();
      default:
        return this.#registry.list().map(bufferAnswer);
    }
  }

  /** Registering waits for every request that the device has, and a target may take long with one. */
  async #inTime<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(lateError(this.#device)), ANSWER_SECONDS * 1000);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function bufferAnswer({ index, length, readOnly, source, path, inode }: StoredBuffer): BufferAnswer {
  return { index, length, readOnly, source, path, inode };
}

function lateError(device: number): UblkError {
  return new UblkError(`the queues of device ${device} have not drained within ${ANSWER_SECONDS} s`, {
    code: 'TIMEOUT',
    kind: 'busy',
    device,
    hint: 'it is done as soon as they have: see `ublkts list --json`',
  });
}
