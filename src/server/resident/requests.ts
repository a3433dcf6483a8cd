/** Carries out the requests that come to a resident server. Every outcome, good or bad, is an answer. */
import { UblkError } from '../../errors.ts';
import { encodeError } from '../../protocol/error-wire.ts';
import { type Answer, otherVersion, PROTOCOL_VERSION } from '../../protocol/frame.ts';
import { parseResidentRequest, type ResidentAnswers, type ResidentRequest } from '../../protocol/resident-requests.ts';
import type { Follow, RequestHandler } from '../socket/listener.ts';
import type { ResidentDevices } from './devices.ts';

export class ResidentRequests implements RequestHandler {
  readonly #devices: ResidentDevices;

  constructor(devices: ResidentDevices) {
    this.#devices = devices;
  }

  async answer(version: number, payload: string): Promise<Answer> {
    try {
      if (version !== PROTOCOL_VERSION) throw otherVersion(version);
      return { ok: true, value: await this.#carryOut(parseResidentRequest(payload)) };
    } catch (error) {
      return { ok: false, error: encodeError(error) };
    }
  }

  /** The request of a client of kublk, which has come to the wrong socket. */
  registerFd(): Promise<{ readonly index: number }> {
    return Promise.reject(new UblkError('memory is registered on the socket of a device', { code: 'EINVAL' }));
  }

  follow(payload: string): Follow | undefined {
    if (parseResidentRequest(payload).op !== 'follow') return undefined;
    return (send) => this.#devices.follow(send);
  }

  async #carryOut(request: ResidentRequest): Promise<ResidentAnswers[keyof ResidentAnswers]> {
    switch (request.op) {
      case 'status':
        return { pid: process.pid, devices: this.#devices.ids };
      case 'end':
        process.kill(process.pid, 'SIGTERM');
        return null;
      case 'follow':
        return { pid: process.pid };
      case 'start':
        return { pid: process.pid, notes: await this.#devices.start(request) };
      default:
        await this.#devices.quiesce(request.device);
        return null;
    }
  }
}
