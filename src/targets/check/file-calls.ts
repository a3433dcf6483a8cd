/**
 * Watches how the code of a target uses files, and lets its calls fail, while a check runs. It stands between that code and
 * `node:fs` from before the target is loaded, because a module can keep a function: `const sync = promisify(fdatasync)`.
 * What a target does in other ways (a worker, a library in C) is not seen.
 *
 * Only reads and writes at a position count: those are a disk's data. A line in a log has no position.
 */
import fs, { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { O_DSYNC } from '../../native/uapi/fcntl.ts';

export type CallKind = 'read' | 'write' | 'sync';

interface Method {
  readonly name: string;
  readonly kind: CallKind;
  /** Which argument says where; those of a buffer can be in an object. */
  readonly position: number;
}

const METHODS: readonly Method[] = [
  { name: 'read', kind: 'read', position: 3 },
  { name: 'readv', kind: 'read', position: 1 },
  { name: 'write', kind: 'write', position: 3 },
  { name: 'writev', kind: 'write', position: 1 },
  { name: 'sync', kind: 'sync', position: -1 },
  { name: 'datasync', kind: 'sync', position: -1 },
];

type AnyFunction = (...words: unknown[]) => unknown;

export class FileCalls {
  /** Descriptors that have data which no sync has followed, with the paths of their files. */
  private readonly dirty = new Map<number, string>();
  private readonly undo: (() => void)[] = [];
  private failing: { readonly kind: CallKind; readonly error: Error } | undefined;
  private wrote = false;
  private isWatching = false;

  private constructor() {}

  /** Puts itself between; `end` must follow. */
  static async begin(): Promise<FileCalls> {
    const calls = new FileCalls();
    const file = await open('/dev/null');
    const prototype = Object.getPrototypeOf(file) as object;
    await file.close();
    for (const method of METHODS) {
      calls.replace(prototype, method.name, (call) => calls.ofHandle(call, method));
      // The same with a descriptor before the other words: with a callback, and synchronous.
      const plain = method.kind === 'sync' ? `f${method.name}` : method.name;
      const shifted = { ...method, position: method.position + 1 };
      calls.replace(fs, plain, (call) => calls.ofDescriptor(call, shifted, true));
      calls.replace(fs, `${plain}Sync`, (call) => calls.ofDescriptor(call, shifted, false));
    }
    syncBuiltinESMExports();
    return calls;
  }

  end(): void {
    for (const put of this.undo) put();
    syncBuiltinESMExports();
  }

  /** Takes note of what `work` does to files. */
  async watch<Result>(work: () => Promise<Result>): Promise<Result> {
    this.isWatching = true;
    this.wrote = false;
    this.dirty.clear();
    try {
      return await work();
    } finally {
      this.isWatching = false;
      this.failing = undefined;
    }
  }

  /** Whether a file was written since `watch` began. */
  get hasWritten(): boolean {
    return this.wrote;
  }

  /** Files with data that was written and not synced yet. */
  unsynced(): string[] {
    return [...new Set(this.dirty.values())];
  }

  /** The next call of this kind fails with `code`. */
  failNext(kind: CallKind, code: string): void {
    this.failing = { kind, error: Object.assign(new Error(`${code}: the check lets a ${kind} fail`), { code }) };
  }

  /** Whether the call that was to fail has come; no call fails any more. */
  takeFailed(): boolean {
    const hasFailed = this.failing === undefined;
    this.failing = undefined;
    return hasFailed;
  }

  private replace(object: object, name: string, make: (call: AnyFunction) => AnyFunction): void {
    const call = Reflect.get(object, name) as AnyFunction;
    // Among its properties is what util.promisify makes of it.
    Reflect.set(object, name, Object.defineProperties(make(call), Object.getOwnPropertyDescriptors(call)));
    this.undo.push(() => Reflect.set(object, name, call));
  }

  private ofHandle(call: AnyFunction, method: Method): AnyFunction {
    const note = (fd: number, words: readonly unknown[]) => this.note(fd, words, method);
    return function watched(this: FileHandle, ...words: unknown[]): unknown {
      const error = note(this.fd, words);
      return error === undefined ? Reflect.apply(call, this, words) : Promise.reject(error);
    };
  }

  private ofDescriptor(call: AnyFunction, method: Method, hasCallback: boolean): AnyFunction {
    return (...words) => {
      const error = this.note(Number(words[0]), words, method);
      if (error === undefined) return Reflect.apply(call, fs, words);
      const callback = words.at(-1);
      if (!hasCallback || typeof callback !== 'function') throw error;
      setImmediate(callback as AnyFunction, error);
      return undefined;
    };
  }

  /** Takes note of a call. Returns the error that it is to fail with. */
  private note(fd: number, words: readonly unknown[], { kind, position }: Method): Error | undefined {
    if (!this.isWatching || (kind !== 'sync' && !hasPosition(words, position))) return undefined;
    if (this.failing?.kind === kind) {
      const { error } = this.failing;
      this.failing = undefined;
      return error;
    }
    if (kind === 'sync') this.dirty.delete(fd);
    else if (kind === 'write' && isCached(fd)) {
      this.wrote = true;
      this.dirty.set(fd, readlinkSync(`/proc/self/fd/${fd}`));
    }
    return undefined;
  }
}

/** `at`: where the position is behind a buffer, its offset and its length. Behind a text it comes first. */
function hasPosition(words: readonly unknown[], at: number): boolean {
  const data = words.find((word) => typeof word === 'string' || typeof word === 'object');
  const after = words[words.indexOf(data) + 1];
  const position = typeof data === 'string' ? after : isOptions(after) ? after.position : words[at];
  return typeof position === 'number' || typeof position === 'bigint';
}

function isOptions(value: unknown): value is { readonly position?: unknown } {
  return typeof value === 'object' && value !== null;
}

/** Whether what is written to the file is durable only after a sync. */
function isCached(fd: number): boolean {
  if (!fstatSync(fd).isFile()) return false;
  const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0';
  return (Number.parseInt(flags, 8) & O_DSYNC) === 0;
}
