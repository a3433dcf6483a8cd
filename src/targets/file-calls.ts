/**
 * The system calls that a process makes on a backing file before it serves the file. Any of them may get no answer: the
 * disk hangs, the file system is frozen or its server is gone, another program reads the disk's partitions. Where somebody
 * waits for the process (the other devices of a resident server, the user of a command), threads of libuv's pool make the
 * calls, and they are given up after 30 s. A server of one device makes them itself: a pool is four threads more.
 */
import {
  type BigIntStats,
  close,
  closeSync,
  fstat,
  fstatSync,
  open,
  openSync,
  read,
  readSync,
  stat,
  statSync,
  type StatsFs,
  statfs,
  statfsSync,
  truncate,
  truncateSync,
  write,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { bounded, DEFAULT_TIMEOUT_MS } from '../control/waiting.ts';
import { UblkError } from '../errors.ts';
import { type Argument, type CallResult, callInt, callIntInPool, type FunctionName } from '../native/libc/ffi.ts';
import { type LockKind, tryLock, tryLockInPool } from '../native/libc/file-lock.ts';

const pooled = {
  close: promisify(close),
  fstat: promisify(fstat) as (fd: number, options: { bigint: true }) => Promise<BigIntStats>,
  open: promisify(open),
  read: promisify(read),
  stat: promisify(stat) as (path: string, options: { bigint: true }) => Promise<BigIntStats>,
  statfs: promisify(statfs) as (path: string) => Promise<StatsFs>,
  truncate: promisify(truncate),
  write: promisify(write),
};

/**
 * The files of calls that were given up and have not returned. No further call is made for such a file: however often it is
 * asked for, it takes no more threads of the pool.
 */
const hanging = new Set<string>();

export interface FileCallsOptions {
  /** Whether somebody waits for this process, so that a call must not hold up its thread. */
  readonly inPool: boolean;
  /** Milliseconds after which a call in the pool is given up. */
  readonly timeoutMs?: number;
  /** What an error calls the file; its path where nothing is given. */
  readonly name?: string;
}

/**
 * Calls on the file `path`. They throw what the system calls do, or in the pool a UblkError with the code `TIMEOUT` when
 * there is no answer in time.
 */
export class FileCalls {
  readonly path: string;
  readonly #options: FileCallsOptions;
  /** The calls in the pool that have not returned. */
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(path: string, options: FileCallsOptions) {
    this.path = path;
    this.#options = options;
  }

  /** Calls on another file, made in the same way. */
  of(path: string): FileCalls {
    const { inPool, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    return new FileCalls(path, { inPool, timeoutMs });
  }

  stat(): Promise<BigIntStats> {
    const options = { bigint: true } as const;
    return this.#make(
      'stat',
      () => statSync(this.path, options),
      () => pooled.stat(this.path, options),
    );
  }

  truncate(bytes: number): Promise<void> {
    return this.#make(
      'truncate',
      () => truncateSync(this.path, bytes),
      () => pooled.truncate(this.path, bytes),
    );
  }

  async open(flags: number, mode?: number): Promise<number> {
    let isWanted = true;
    try {
      return await this.#make(
        'open',
        () => openSync(this.path, flags, mode),
        async () => {
          const fd = await pooled.open(this.path, flags, mode);
          // It may be opened long after nobody waits for it any more.
          if (!isWanted) await pooled.close(fd);
          return fd;
        },
      );
    } catch (error) {
      isWanted = false;
      throw error;
    }
  }

  fstat(fd: number): Promise<BigIntStats> {
    const options = { bigint: true } as const;
    return this.#make(
      'fstat',
      () => fstatSync(fd, options),
      () => pooled.fstat(fd, options),
    );
  }

  /** Of the file system that an open file is on. */
  statfs(fd: number): Promise<StatsFs> {
    const link = `/proc/self/fd/${fd}`;
    return this.#make(
      'statfs',
      () => statfsSync(link),
      () => pooled.statfs(link),
    );
  }

  /** Returns the number of bytes read, where the file stands if `position` is null. `buffer` must stay mapped until `afterwards`. */
  read(fd: number, buffer: Uint8Array, position: number | null): Promise<number> {
    return this.#make(
      'read',
      () => readSync(fd, buffer, 0, buffer.length, position),
      async () => (await pooled.read(fd, buffer, 0, buffer.length, position)).bytesRead,
    );
  }

  /** Returns the number of bytes written. */
  write(fd: number, buffer: Uint8Array, position: number): Promise<number> {
    return this.#make(
      'write',
      () => writeSync(fd, buffer, 0, buffer.length, position),
      async () => (await pooled.write(fd, buffer, 0, buffer.length, position)).bytesWritten,
    );
  }

  /** Locks the file without waiting for who has it locked; see `tryLock`. */
  lock(fd: number, kind: LockKind): Promise<number> {
    return this.#make(
      'fcntl',
      () => tryLock(fd, kind),
      () => tryLockInPool(fd, kind),
    );
  }

  /** Calls a function of libc that returns an int. Memory that it is told the address of must stay mapped until `afterwards`. */
  int(name: FunctionName, ...values: Argument[]): Promise<CallResult<number>> {
    return this.#make(
      name,
      () => callInt(name, ...values),
      () => callIntInPool(name, ...values),
    );
  }

  /**
   * Closes a descriptor of the file, and resolves when that is done, or at once when a call that was given up may still use
   * it: another file that got its number would be the one that the call works on.
   */
  async close(fd: number): Promise<void> {
    if (this.#underWay.size > 0) return this.afterwards(() => closeSync(fd));
    await this.#make(
      'close',
      () => closeSync(fd),
      () => pooled.close(fd),
    );
  }

  /** Calls `release` when no call is under way any more, of those that were given up too. */
  afterwards(release: () => void): void {
    if (this.#underWay.size === 0) release();
    else void Promise.allSettled(this.#underWay).then(() => this.afterwards(release));
  }

  async #make<T>(command: string, here: () => T, inPool: () => Promise<T>): Promise<T> {
    if (!this.#options.inPool) return here();
    const { path } = this;
    const { timeoutMs = DEFAULT_TIMEOUT_MS, name = path } = this.#options;
    const late = (): UblkError => lateError(name, command, timeoutMs);
    if (hanging.has(path)) throw late();
    const answer = inPool();
    this.#underWay.add(answer);
    const forget = (): void => void this.#underWay.delete(answer);
    answer.then(forget, forget);
    const giveUp = (): UblkError => {
      hanging.add(path);
      void answer.catch(() => {}).finally(() => hanging.delete(path));
      return late();
    };
    return bounded(answer, { timeoutMs, late: giveUp });
  }
}

function lateError(name: string, command: string, timeoutMs: number): UblkError {
  return new UblkError(`cannot use backing file ${name}: ${command} has not answered for ${timeoutMs / 1000} s`, {
    code: 'TIMEOUT',
    kind: 'busy',
    command,
    hint: 'its disk or file system hangs or is frozen, or another program is reading its partitions: see `dmesg`, and try again',
  });
}
