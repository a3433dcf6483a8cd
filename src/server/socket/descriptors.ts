/** The descriptors that came with a request. They are closed when the request is done, except one that was taken. */
import { closeSync } from 'node:fs';
import { UblkError } from '../../errors.ts';

export class Descriptors {
  #fds: readonly number[];

  constructor(fds: readonly number[]) {
    this.#fds = fds;
  }

  /** Takes the only descriptor, which is the caller's from here on. */
  take(): number {
    const [fd] = this.#fds;
    if (fd === undefined || this.#fds.length > 1) {
      throw new UblkError(`this request takes one descriptor, and ${this.#fds.length} came with it`, {
        code: 'EINVAL',
        command: 'recvmsg',
      });
    }
    this.#fds = [];
    return fd;
  }

  /** Does what take does, or returns null when no descriptor came. */
  takeAny(): number | null {
    return this.#fds.length === 0 ? null : this.take();
  }

  close(): void {
    for (const fd of this.#fds) closeSync(fd);
    this.#fds = [];
  }
}
