/** The client of a request: which process it is, and whether it still waits for the answer. */
import type { Socket } from 'node:net';
import { isHungUp, type PeerCredentials } from '../../native/libc/unix-socket.ts';

export class Asker {
  readonly pid: number;
  readonly #socket: Socket;
  readonly #fd: number;

  /** `fd` is the descriptor of the socket. */
  constructor({ pid }: PeerCredentials, socket: Socket, fd: number) {
    this.pid = pid;
    this.#socket = socket;
    this.#fd = fd;
  }

  /** Whether it has closed its end, or we ours. */
  get hasLeft(): boolean {
    return this.#socket.destroyed || isHungUp(this.#fd);
  }
}
