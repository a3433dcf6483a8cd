/**
 * Wakes the event loop when a command completes: io_uring writes a byte into this pipe after each command, and Node reads
 * the other end as it reads any socket.
 */
import { Socket } from 'node:net';
import { closeDescriptor, pipe } from '../native/libc/calls.ts';

export class CompletionPipe {
  /** Where the ring writes. */
  readonly fd: number;
  readonly #socket: Socket;

  constructor(onByte: () => void) {
    const [readEnd, writeEnd] = pipe();
    this.fd = writeEnd;
    this.#socket = new Socket({ fd: readEnd, readable: true, writable: false });
    this.#socket.on('data', onByte);
    this.#socket.unref();
  }

  /** Whether the event loop is kept alive until the next byte. */
  keepAlive(wanted: boolean): void {
    if (wanted) this.#socket.ref();
    else this.#socket.unref();
  }

  close(): void {
    this.#socket.destroy();
    closeDescriptor(this.fd);
  }
}
