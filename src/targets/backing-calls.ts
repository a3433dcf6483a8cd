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

/** The calls in the pool that have not returned, by the path of the file. */
const underWay = new Map<string, Set<Promise<unknown>>>();

/**
 * How many calls were given up and have not returned, by `place`. Until they have, calls for the same place are refused, so
 * that they take no more threads of the pool.
 */
const hanging = new Map<string, number>();

export interface BackingCallsOptions {
  /** Whether somebody waits for this process, so that a call must not hold up its thread. */
  readonly inPool: boolean;
  /** Milliseconds after which a call in the pool is given up. */
  readonly timeoutMs?: number;
  /** The name of the file in error messages. Default: its path. */
  readonly name?: string | undefined;
  /**
   * The key under which calls that do not return are counted, for example the mount point: files with the same key are
   * refused together. Default: the path of the file.
   */
  readonly place?: string | undefined;
}

/**
 * Calls on the file `path`. They throw what the system calls do, or in the pool a UblkError with the code `TIMEOUT` when
 * there is no answer in time.
 */
export class BackingCalls {
  readonly path: string;
  readonly #options: BackingCallsOptions;

  constructor(path: string, options: BackingCallsOptions) {
    this.path = path;
    this.#options = options;
  }

  /** Calls on another file that are made for this one. */
  of(path: string): BackingCalls {
    return new BackingCalls(path, { ...this.#options, name: this.#name, place: path });
  }

  get #name(): string {
    return this.#options.name ?? this.path;
  }

  get #place(): string {
    return this.#options.place ?? this.path;
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

  /** Returns the status of the file system that an open file is on (statfs(2)). */
  statfs(fd: number): Promise<StatsFs> {
    const link = `/proc/self/fd/${fd}`;
    return this.#make(
      'statfs',
      () => statfsSync(link),
      () => pooled.statfs(link),
    );
  }

  /**
   * Reads from byte `position`, or from the current position of the descriptor if that is null, and returns the number of
   * bytes. Memory of `buffer` that is to be unmapped must stay mapped until `afterwards` says so.
   */
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

  /**
   * Calls a function of libc that returns an int. Memory that it gets the address of must stay mapped until `afterwards` says
   * so.
   */
  int(name: FunctionName, ...values: Argument[]): Promise<CallResult<number>> {
    return this.#make(
      name,
      () => callInt(name, ...values),
      () => callIntInPool(name, ...values),
    );
  }

  /**
   * Closes a descriptor of the file, and resolves when that is done. While a call that was given up may still use the
   * descriptor, it resolves at once: another file that got the number would be the one that the call works on.
   */
  async close(fd: number): Promise<void> {
    if (!this.#options.inPool) closeSync(fd);
    else if (hanging.has(this.#place)) this.afterwards(() => void pooled.close(fd).catch(() => {}));
    else await this.#inPool('close', () => pooled.close(fd));
  }

  /** Calls `release` when all calls on the file have returned, also those of others and those that were given up. */
  afterwards(release: () => void): void {
    const calls = underWay.get(this.path);
    if (calls === undefined) release();
    else void Promise.allSettled(calls).then(() => this.afterwards(release));
  }

  async #make<T>(command: string, here: () => T, inPool: () => Promise<T>): Promise<T> {
    return this.#options.inPool ? this.#inPool(command, inPool) : here();
  }

  async #inPool<T>(command: string, call: () => Promise<T>): Promise<T> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    const late = (): UblkError => lateError(this.#name, command, timeoutMs);
    const place = this.#place;
    if (hanging.has(place)) throw late();
    const answer = this.#watched(call());
    const giveUp = (): UblkError => {
      hanging.set(place, (hanging.get(place) ?? 0) + 1);
      const returned = (): void => {
        const left = (hanging.get(place) ?? 1) - 1;
        if (left > 0) hanging.set(place, left);
        else hanging.delete(place);
      };
      answer.then(returned, returned);
      return late();
    };
    return bounded(answer, { timeoutMs, late: giveUp });
  }

  /** Keeps the call among those under way until it has returned. */
  #watched<T>(answer: Promise<T>): Promise<T> {
    const calls = underWay.get(this.path) ?? new Set();
    underWay.set(this.path, calls.add(answer));
    const forget = (): void => {
      calls.delete(answer);
      if (calls.size === 0) underWay.delete(this.path);
    };
    answer.then(forget, forget);
    return answer;
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
