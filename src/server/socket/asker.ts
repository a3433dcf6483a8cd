/** The client of a request: which process it is, and what is to be undone when its answer does not reach it. */
import type { PeerCredentials } from '../../native/libc/unix-socket.ts';

export class Asker {
  readonly pid: number;
  #undo: () => void = () => {};

  constructor({ pid }: PeerCredentials) {
    this.pid = pid;
  }

  /** `undo` is called when the client has left before it was answered. */
  ifUnheard(undo: () => void): void {
    this.#undo = undo;
  }

  /** The answer has not reached the client. */
  unheard(): void {
    this.#undo();
  }
}
