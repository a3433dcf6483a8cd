/**
 * Calls functions of libc through ffi-rs; no other file imports it. A call takes 4-7 us (docs/decisions/0001), so none
 * of them is made per request. The one system call that is made for requests goes through enter.ts.
 */
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import type * as FfiRs from 'ffi-rs';
import { callsFromOneThread } from '../one-thread.ts';
import { loadFfiRs } from './ffi-rs.ts';

let loaded: typeof FfiRs | undefined;

/** A command that is refused calls nothing, and does not load it. */
function ffi(): typeof FfiRs {
  return (loaded ??= loadFfiRs());
}

const LIBRARY = 'libc';

/** Every function that is called. */
const FUNCTIONS = [
  'close',
  'connect',
  'epoll_ctl',
  'eventfd',
  'fallocate',
  'fcntl',
  'flock',
  'getpid',
  'getsockopt',
  'gettid',
  'ioctl',
  'lseek',
  'madvise',
  'malloc_trim',
  'memcpy',
  'memfd_create',
  'mlock2',
  'mmap',
  'munmap',
  'pipe2',
  'poll',
  'prctl',
  'pread',
  'recvmsg',
  'sched_getaffinity',
  'sched_getscheduler',
  'sched_setaffinity',
  'sched_setscheduler',
  'sched_yield',
  'sendmsg',
  'setsockopt',
  'shutdown',
  'socket',
  'socketpair',
  'statx',
  'syscall',
] as const;

export type FunctionName = (typeof FUNCTIONS)[number];

/**
 * A number is passed as an int, a bigint as a 64-bit value or pointer, bytes as a pointer to them, a string as char*.
 */
export type Argument = number | bigint | Uint8Array | string;

export interface CallResult<T> {
  readonly value: T;
  readonly errno: number;
}

/** Calls a function that returns an int. */
export function callInt(name: FunctionName, ...values: Argument[]): CallResult<number> {
  const result = call(name, ffi().DataType.I32, values) as { value: number; errnoCode: number };
  return { value: result.value, errno: result.errnoCode };
}

/** Calls a function that returns an int on a thread of libuv's pool. */
export async function callIntInPool(name: FunctionName, ...values: Argument[]): Promise<CallResult<number>> {
  passed.add(values);
  try {
    const result = (await call(name, ffi().DataType.I32, values, true)) as { value: number; errnoCode: number };
    return { value: result.value, errno: result.errnoCode };
  } finally {
    passed.delete(values);
  }
}

/** The arguments of calls that threads of the pool are making. Memory that the kernel uses must not be collected. */
const passed = new Set<readonly Argument[]>();

/** Calls a function that returns a long or a pointer. */
export function callLong(name: FunctionName, ...values: Argument[]): CallResult<bigint> {
  const result = call(name, ffi().DataType.BigInt, values) as { value: bigint; errnoCode: number };
  return { value: BigInt.asUintN(64, result.value), errno: result.errnoCode };
}

/**
 * Makes a Buffer over `length` bytes of this process's memory at `address`. The memory must stay mapped for as long as
 * the Buffer is used; nothing checks that. Nothing is copied, and nothing is freed when the Buffer is collected.
 */
export function viewOf(address: bigint, length: number): Buffer {
  // memcpy of 0 bytes returns its first argument and reads nothing, so it turns a number into a pointer.
  const pointer = call('memcpy', ffi().DataType.External, [address, address, 0n]) as { value: FfiRs.JsExternal };
  return ffi().createExternalBuffer(pointer.value, length);
}

function call(
  funcName: FunctionName,
  retType: FfiRs.DataType,
  values: readonly Argument[],
  runInNewThread = false,
): unknown {
  if (!isReady) makeReady();
  return ffi().load({
    library: LIBRARY,
    funcName,
    retType,
    paramsType: values.map(typeOf),
    paramsValue: values.map((value) => (value instanceof Uint8Array ? asBuffer(value) : value)),
    errno: true,
    runInNewThread,
  } as never);
}

/** Whether this thread has seen that the library is open. */
let isReady = false;

function makeReady(): void {
  isReady = true;
  if (callsFromOneThread()) openLibrary();
  else if (getEnvironmentData(LOOKED_UP) === undefined) lookUpAll();
}

function openLibrary(): void {
  ffi().open({ library: LIBRARY, path: 'libc.so.6' });
}

/** The key under which Node keeps, for this thread and those that it starts, that every function is looked up. */
const LOOKED_UP = 'ublkts: libc is looked up';

const NONSENSE = [-1n, -1n, -1n, -1n, -1n, -1n];
const SYS_io_uring_register = 427n;
/** Arguments for the functions that would crash on nonsense or make a system call that a sandbox does not allow. */
const HARMLESS: Partial<Record<FunctionName, readonly bigint[]>> = {
  memcpy: [0n, 0n, 0n],
  syscall: [SYS_io_uring_register, ...NONSENSE],
};

/**
 * Opens libc and looks up every function. ffi-rs keeps the functions of the whole process in a table that it does not
 * lock. Two threads that call new functions at the same time destroy the table, and the next call never returns
 * (docs/decisions/0012). So each function is called here once, with arguments that it refuses, before there is a second
 * thread. A command has one thread and looks up what it calls: the others and node:worker_threads take nine million instructions.
 */
function lookUpAll(): void {
  openLibrary();
  setEnvironmentData(LOOKED_UP, true);
  for (const name of FUNCTIONS) call(name, ffi().DataType.I32, HARMLESS[name] ?? NONSENSE);
}

function typeOf(value: Argument): FfiRs.DataType {
  const { DataType } = ffi();
  if (typeof value === 'number') return DataType.I32;
  if (typeof value === 'bigint') return DataType.BigInt;
  return typeof value === 'string' ? DataType.String : DataType.U8Array;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
