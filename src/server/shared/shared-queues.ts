/** The queues of one device on shared threads. */
import type { DeviceThreads, Fetched } from '../device-threads.ts';
import type { Lane } from './shared-thread.ts';
import { bounded } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';

const START_MS = 60_000;

export class SharedQueues implements DeviceThreads {
  readonly #lanes: readonly Lane[];

  constructor(lanes: readonly Lane[]) {
    this.#lanes = lanes;
  }

  async fetched(): Promise<Fetched> {
    await bounded(Promise.all(this.#lanes.map((lane) => lane.fetched)), {
      timeoutMs: START_MS,
      signal: undefined,
      late: lateError,
    });
    return { notes: [], params: undefined };
  }

  async left(): Promise<null> {
    await Promise.all(this.#lanes.map((lane) => lane.left));
    return null;
  }

  /** No device that shares memory is on shared threads. */
  wake(): void {}

  /** A lane leaves by itself when the driver has taken back its tags. */
  drain(): void {}

  rest(): void {
    for (const lane of this.#lanes) lane.rest();
  }

  async release(): Promise<void> {
    await Promise.allSettled(this.#lanes.map((lane) => lane.left));
  }
}

function lateError(): UblkError {
  return new UblkError(`the shared threads did not fetch within ${START_MS / 1000} s`, {
    code: 'TIMEOUT',
    command: 'FETCH_REQ',
    hint: 'the machine may be overloaded: try again; `dmesg` says what the driver waits for',
  });
}
