/**
 * The one door to ffi-rs. A call costs 4-7 us (docs/decisions/0001), so nothing here is called once per request:
 * the one call that is goes through enter.ts.
 */
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import { createExternalBuffer, DataType, type JsExternal, load, open } from 'ffi-rs';

const LIBRARY = 'libc';

/** All that is called; memcpy by viewOf. */
const FUNCTIONS = [
  'close',
  'connect',
  'eventfd',
  'fallocate',
  'fcntl',
  'getpid',
  'getsockopt',
  'gettid',
  'ioctl',
  'madvise',
  'memcpy',
  'memfd_create',
  'mlock2',
  'mmap',
  'munmap',
  'pipe2',
  'prctl',
  'pread',
  'recvmsg',
  'sched_getaffinity',
  'sched_getscheduler',
  'sched_setaffinity',
  'sched_setscheduler',
  'sendmsg',
  'socket',
  'statx',
  'syscall',
] as const;

export type FunctionName = (typeof FUNCTIONS)[number];

/** A number is passed as a C int, a bigint as a 64-bit value or pointer, bytes as a pointer to them, a string as char*. */
export type Argument = number | bigint | Uint8Array | string;

export interface CallResult<T> {
  readonly value: T;
  readonly errno: number;
}

/** Calls libc's `name`, which returns an int. */
export function callInt(name: FunctionName, ...values: Argument[]): CallResult<number> {
  const result = call(name, DataType.I32, values) as { value: number; errnoCode: number };
  return { value: result.value, errno: result.errnoCode };
}

/** Calls libc's `name`, which returns a long or a pointer. */
export function callLong(name: FunctionName, ...values: Argument[]): CallResult<bigint> {
  const result = call(name, DataType.BigInt, values) as { value: bigint; errnoCode: number };
  return { value: BigInt.asUintN(64, result.value), errno: result.errnoCode };
}

/**
 * A Buffer over `length` bytes of this process's memory at `address`, which must stay mapped for as long as the Buffer
 * is used: nothing checks. Nothing is copied, and nothing is freed when the Buffer is collected.
 */
export function viewOf(address: bigint, length: number): Buffer {
  // memcpy of nothing returns its first argument and touches neither: an identity function from number to pointer.
  const pointer = call('memcpy', DataType.External, [address, address, 0n]) as { value: JsExternal };
  return createExternalBuffer(pointer.value, length);
}

function call(funcName: FunctionName, retType: DataType, values: readonly Argument[]): unknown {
  if (getEnvironmentData(OPENED) === undefined) openLibrary();
  return load({
    library: LIBRARY,
    funcName,
    retType,
    paramsType: values.map(typeOf),
    paramsValue: values.map((value) => (value instanceof Uint8Array ? asBuffer(value) : value)),
    errno: true,
  } as never);
}

/** Known to this thread and to those that it starts. */
const OPENED = 'ublkts: libc is open';

const NONSENSE = [-1n, -1n, -1n, -1n, -1n, -1n];
const SYS_io_uring_register = 427n;
/** Where nonsense would be a crash, or a system call that a sandbox kills for. */
const HARMLESS: Partial<Record<FunctionName, readonly bigint[]>> = {
  memcpy: [0n, 0n, 0n],
  syscall: [SYS_io_uring_register, ...NONSENSE],
};

/**
 * ffi-rs keeps, for the whole process, what it has looked up, in a table that it does not lock: two threads that each
 * call something for the first time at once destroy it, and the next call never returns (docs/decisions/0012). So
 * everything is looked up here, before there is a second thread: by calling it with arguments that are an error to it.
 */
function openLibrary(): void {
  open({ library: LIBRARY, path: 'libc.so.6' });
  setEnvironmentData(OPENED, true);
  for (const name of FUNCTIONS) call(name, DataType.I32, HARMLESS[name] ?? NONSENSE);
}

function typeOf(value: Argument): DataType {
  if (typeof value === 'number') return DataType.I32;
  if (typeof value === 'bigint') return DataType.BigInt;
  return typeof value === 'string' ? DataType.String : DataType.U8Array;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
