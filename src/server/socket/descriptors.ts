/** Descriptors that came with a request: closed when the request is done, but for the one that somebody takes. */
import { closeSync } from 'node:fs';
import { UblkError } from '../../errors.ts';

export class Descriptors {
  #fds: readonly number[];

  constructor(fds: readonly number[]) {
    this.#fds = fds;
  }

  /** The only one there is; it is the caller's from here on. */
  take(): number {
    const [fd] = this.#fds;
    if (fd === undefined || this.#fds.length > 1) {
      throw new UblkError(`one descriptor is wanted with this request, not ${this.#fds.length}`, {
        code: 'EINVAL',
        command: 'recvmsg',
      });
    }
    this.#fds = [];
    return fd;
  }

  close(): void {
    for (const fd of this.#fds) closeSync(fd);
    this.#fds = [];
  }
}
