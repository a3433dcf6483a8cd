/** Carries out the requests that come over the socket. Every outcome, good or bad, is an answer. */
import { bounded } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';
import type { ShmemRegistry } from '../shared-memory/registry.ts';
import type { StoredBuffer } from '../../record/device-record.ts';
import type { Asker } from './asker.ts';
import type { Descriptors } from './descriptors.ts';
import type { RequestHandler } from './listener.ts';
import { ANSWER_SECONDS } from '../../protocol/answer-limit.ts';
import { type Answers, type BufferAnswer, parseRequest, type Request } from '../../protocol/buffer-requests.ts';
import { encodeError } from '../../protocol/error-wire.ts';
import { type Answer, otherVersion, PROTOCOL_VERSION } from '../../protocol/frame.ts';

export class Requests implements RequestHandler {
  readonly #device: number;
  readonly #registry: ShmemRegistry;

  constructor(device: number, registry: ShmemRegistry) {
    this.#device = device;
    this.#registry = registry;
  }

  async answer(version: number, payload: string, descriptors: Descriptors, asker: Asker): Promise<Answer> {
    try {
      if (version !== PROTOCOL_VERSION) throw otherVersion(version);
      return { ok: true, value: await this.#carryOut(parseRequest(payload), descriptors, asker) };
    } catch (error) {
      return { ok: false, error: { ...encodeError(error), device: this.#device } };
    }
  }

  /** The request of kublk's clients, which ublkts's clients make too. */
  async registerFd(descriptors: Descriptors, readOnly: boolean, asker: Asker): Promise<StoredBuffer> {
    return this.#registered(asker, (isAwaited) =>
      this.#registry.registerFd(descriptors.take(), readOnly, `pid ${asker.pid}`, isAwaited),
    );
  }

  async #carryOut(request: Request, descriptors: Descriptors, asker: Asker): Promise<Answers[keyof Answers]> {
    const registry = this.#registry;
    switch (request.op) {
      case 'register':
        return bufferAnswer(
          await this.#registered(asker, (isAwaited) =>
            registry.registerPath(request.path, request.readOnly, descriptors.takeAny(), isAwaited),
          ),
        );
      case 'register-fd':
        return bufferAnswer(await this.registerFd(descriptors, request.readOnly, asker));
      case 'create':
        return bufferAnswer(await this.#registered(asker, (isAwaited) => registry.createMemfd(request, isAwaited)));
      case 'unregister':
        await this.#inTime(registry.unregister(request.index, request.inode), DONE_LATER);
        return null;
      case 'unregister-all':
        return this.#inTime(registry.unregisterAll(), DONE_LATER);
      default:
        return registry.list().map(bufferAnswer);
    }
  }

  /** The client waits until it leaves, or is told that there was no time. */
  async #registered(
    asker: Asker,
    register: (isAwaited: () => boolean) => Promise<StoredBuffer>,
  ): Promise<StoredBuffer> {
    let isLate = false;
    try {
      return await this.#inTime(
        register(() => !isLate && !asker.hasLeft),
        UNDONE,
      );
    } catch (error) {
      isLate = true;
      throw error;
    }
  }

  /**
   * Both registering and its opposite wait for every request that the device has, and a target may take long with one. So may
   * a file system with the pages of a buffer.
   */
  async #inTime<T>(work: Promise<T>, hint: string): Promise<T> {
    const timeoutMs = ANSWER_SECONDS * 1000;
    return bounded(work, {
      signal: undefined,
      timeoutMs,
      late: () => lateError(this.#device, this.#registry.isFilling, hint),
    });
  }
}

const DONE_LATER = 'it is done after that: see `ublkts list --json`';
const UNDONE = 'nothing is registered: try again after that';

function bufferAnswer({ index, length, readOnly, source, path, inode }: StoredBuffer): BufferAnswer {
  return { index, length, readOnly, source, path, inode };
}

function lateError(device: number, isFilling: boolean, hint: string): UblkError {
  const reason = isFilling
    ? `the server of device ${device} is still giving a buffer its memory after ${ANSWER_SECONDS} s`
    : `the queues of device ${device} have not drained within ${ANSWER_SECONDS} s`;
  return new UblkError(reason, {
    code: 'TIMEOUT',
    kind: 'busy',
    device,
    hint,
  });
}
