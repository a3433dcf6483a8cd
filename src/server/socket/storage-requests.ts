/**
 * Answers how large the storage of a device is. The question runs in the event loop of the server's main thread, so
 * storage that does not answer holds up no queue thread and no other request. Every outcome, good or bad, is an answer.
 */
import { bounded } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';
import { ANSWER_SECONDS } from '../../protocol/answer-limit.ts';
import { encodeError } from '../../protocol/error-wire.ts';
import { type Answer, otherVersion, PROTOCOL_VERSION } from '../../protocol/frame.ts';
import { parseStorageRequest } from '../../protocol/storage-requests.ts';
import type { RequestHandler } from './listener.ts';

/** Asks the storage for its size in bytes. Gives up when the signal aborts. */
export type AskForSize = (signal: AbortSignal) => Promise<number>;

export interface AskedStorage {
  readonly device: number;
  /** The name of the storage in messages, for example a URI. */
  readonly name: string;
  readonly size: AskForSize;
}

export class StorageRequests implements RequestHandler {
  readonly #storage: AskedStorage;
  readonly #ending = new AbortController();

  constructor(storage: AskedStorage) {
    this.#storage = storage;
  }

  async answer(version: number, payload: string): Promise<Answer> {
    try {
      if (version !== PROTOCOL_VERSION) throw otherVersion(version);
      parseStorageRequest(payload);
      return { ok: true, value: await this.#size() };
    } catch (error) {
      return { ok: false, error: encodeError(error) };
    }
  }

  /** A client of kublk registers memory with a descriptor. It has come to the wrong socket. */
  registerFd(): Promise<{ readonly index: number }> {
    return Promise.reject(new UblkError('this socket registers no memory', { code: 'EOPNOTSUPP' }));
  }

  /** The device leaves this server: questions that the storage has not answered are given up. */
  end(): void {
    this.#ending.abort(leaving(this.#storage));
  }

  async #size(): Promise<number> {
    const done = new AbortController();
    const signal = this.#ending.signal;
    const asked = this.#storage.size(AbortSignal.any([signal, done.signal]));
    const timeoutMs = ANSWER_SECONDS * 1000;
    try {
      return await bounded(asked, { signal, timeoutMs, late: () => late(this.#storage) });
    } finally {
      done.abort();
    }
  }
}

function late({ device, name }: AskedStorage): UblkError {
  return new UblkError(`${name} has not said within ${ANSWER_SECONDS} s how large it is`, {
    code: 'TIMEOUT',
    kind: 'busy',
    device,
  });
}

function leaving({ device, name }: AskedStorage): UblkError {
  return new UblkError(`device ${device} left its server before ${name} said how large it is`, {
    code: 'ENODEV',
    kind: 'no-device',
    device,
  });
}
