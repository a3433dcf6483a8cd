/**
 * The system calls that a process makes on a backing file before it serves the file. Any of them may get no answer: the
 * disk hangs, the file system is frozen or its server is gone, another program reads the disk's partitions. Where somebody
 * waits for the process (the other devices of a resident server, the user of a command), another thread or process makes the
 * calls, and they are given up after 30 s.
 */
import type { ChildProcess } from 'node:child_process';
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
import { isAbsolute } from 'node:path';
import { promisify } from 'node:util';
import { bounded, DEFAULT_TIMEOUT_MS } from '../control/waiting.ts';
import type { UblkError } from '../errors.ts';
import { endOf, startHand } from '../native/hand/start.ts';
import { ANSWERED, type FileTask } from '../native/hand/task.ts';
import { systemError } from '../native/libc/calls.ts';
import { type Argument, type CallResult, callInt, callIntInPool, type FunctionName } from '../native/libc/ffi.ts';
import { type LockKind, tryLock, tryLockInPool } from '../native/libc/file-lock.ts';
import { ERRNO } from '../native/uapi/errno.ts';
import { hangs, hungAt, lateError } from './hung-calls.ts';

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
 * Who makes the calls:
 *
 * - `thread`: the thread that asks, which waits for as long as it takes. A server of one device: a pool is four threads more.
 * - `pool`: threads of libuv's pool. A resident server. A process does not end before they have returned.
 * - `process`: for `stat` and `grow`, a process that is left behind when they do not return. A command or a program. The
 *   other calls are made in the pool.
 */
export type Caller = 'thread' | 'pool' | 'process';

export interface BackingCallsOptions {
  readonly caller: Caller;
  /** Milliseconds after which a call is given up; `thread` gives up none. */
  readonly timeoutMs?: number;
  /** The name of the file in error messages. Default: its path. */
  readonly name?: string | undefined;
  /**
   * The key under which calls that do not return are counted, for example the mount point: files with the same key are
   * refused together. Default: the path of the file.
   */
  readonly place?: string | undefined;
  /** Gives up calls that are not made by `thread`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls on the file `path`. They throw what the system calls do, or a UblkError with the code `TIMEOUT` when there is
 * no answer in time.
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

  async stat(): Promise<BigIntStats> {
    const options = { bigint: true } as const;
    // A file that has answered a process answers this one too, with its status or an error.
    await this.#inProcess({ call: 'stat', path: this.path });
    return this.#make(
      'stat',
      () => statSync(this.path, options),
      () => pooled.stat(this.path, options),
    );
  }

  /**
   * Makes the file, which is shorter, `bytes` bytes long. A process that is left behind never makes it shorter, and so does
   * nothing to what another call has done since. On a file system without fallocate(2) the pool makes the call, and the
   * process that asks does not end before.
   */
  async grow(bytes: number): Promise<void> {
    const errno = await this.#inProcess({ call: 'fallocate', path: this.path, bytes });
    if (errno === 0) return;
    if (errno !== null && errno !== ERRNO.EOPNOTSUPP) throw systemError('fallocate', errno, `of ${this.#name}`);
    await this.#make(
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
    if (this.#options.caller === 'thread') closeSync(fd);
    else if (hungAt(this.#place) !== undefined) this.afterwards(() => void pooled.close(fd).catch(() => {}));
    else await this.#givenUp('close', () => pooled.close(fd));
  }

  /** Calls `release` when all calls on the file have returned, also those of others and those that were given up. */
  afterwards(release: () => void): void {
    const calls = underWay.get(this.path);
    if (calls === undefined) release();
    else void Promise.allSettled(calls).then(() => this.afterwards(release));
  }

  async #make<T>(command: string, here: () => T, inPool: () => Promise<T>): Promise<T> {
    return this.#options.caller === 'thread' ? here() : this.#givenUp(command, inPool);
  }

  /**
   * Has a process make the call, and returns the errno, or 0; null if no process is to make it, or none could. Only this wait
   * is given up when the signal aborts: what another thread does keeps the process from ending all the same.
   */
  async #inProcess(task: FileTask): Promise<number | null> {
    const { caller, signal } = this.#options;
    if (caller !== 'process') return null;
    let hand: ChildProcess | undefined;
    const answer = async (): Promise<number | null> => {
      try {
        hand = startHand({ ...task, path: absolute(task.path) }, { title: `ublkts: ${task.call} ${this.#name}` });
        return errnoOf(await endOf(hand));
      } catch {
        // No process can be started.
        return null;
      }
    };
    try {
      return await this.#givenUp(task.call, answer, signal);
    } catch (error) {
      // A signal ends many of these waits. Where it does not, the hand stays, and keeps nobody from ending.
      hand?.kill('SIGKILL');
      hand?.unref();
      throw error;
    }
  }

  /** Gives the call up when its time is over or the signal aborts. */
  async #givenUp<T>(command: string, call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    signal?.throwIfAborted();
    const name = this.#name;
    const place = this.#place;
    const hung = hungAt(place);
    if (hung !== undefined) throw lateError(name, hung);
    const answer = this.#watched(call());
    let isOver = false;
    const over = (): void => void (isOver = true);
    answer.then(over, over);
    const waited = `for ${timeoutMs / 1000} s`;
    const late = (): UblkError => lateError(name, { command, name, waited });
    try {
      return await bounded(answer, { signal, timeoutMs, late });
    } catch (error) {
      if (!isOver && signal?.aborted === true) hangs(place, { command, name, waited: 'yet' }, answer, 0);
      else if (!isOver) hangs(place, { command, name, waited }, answer, timeoutMs);
      throw error;
    }
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

/** The path as another process understands it. It is not shortened: what `..` leads to depends on symbolic links. */
function absolute(path: string): string {
  return isAbsolute(path) ? path : `${process.cwd()}/${path}`;
}

/** The errno that a process has got from its call, or 0; null when it has not made the call, or was killed. */
function errnoOf(exitCode: number | null): number | null {
  return exitCode === null || exitCode < ANSWERED ? null : exitCode - ANSWERED;
}
