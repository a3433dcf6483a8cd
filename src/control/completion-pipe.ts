/**
 * Wakes the event loop when a command completes: io_uring writes a byte into this pipe after each command, and Node reads
 * the other end as it reads any socket. The socket is made when a command is waited for; many have an answer before.
 */
import { Socket } from 'node:net';
import { closeDescriptor, io_uring_register, pipe, systemError } from '../native/libc/calls.ts';
import { IORING_REGISTER_FILES } from '../native/uapi/io-uring-register.ts';

/** What an entry with IOSQE_FIXED_FILE writes to. */
export const WRITE_END = 0;

export class CompletionPipe {
  readonly #readEnd: number;
  readonly #onByte: () => void;
  #socket: Socket | undefined;

  /** `ring` writes. It keeps the write end itself: by the time that it writes, a descriptor's number may be another file's. */
  constructor(ring: number, onByte: () => void) {
    const [readEnd, writeEnd] = pipe();
    const ends = new Uint8Array(Int32Array.of(writeEnd).buffer);
    const result = io_uring_register(ring, IORING_REGISTER_FILES, ends, 1);
    closeDescriptor(writeEnd);
    this.#readEnd = readEnd;
    this.#onByte = onByte;
    if (result >= 0) return;
    this.close();
    throw systemError('IORING_REGISTER_FILES', -result, 'of a pipe');
  }

  /** Whether the event loop is kept alive until the next byte. */
  keepAlive(wanted: boolean): void {
    if (wanted) this.#reader().ref();
    else this.#socket?.unref();
  }

  close(): void {
    if (this.#socket === undefined) closeDescriptor(this.#readEnd);
    else this.#socket.destroy();
  }

  #reader(): Socket {
    this.#socket ??= new Socket({ fd: this.#readEnd, readable: true, writable: false }).on('data', this.#onByte);
    return this.#socket;
  }
}
