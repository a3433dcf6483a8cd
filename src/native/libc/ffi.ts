/**
 * The one door to ffi-rs. It costs 4-7 us a call (docs/decisions/0001), so nothing here is called once a request:
 * the one call that is goes through enter.ts.
 */
import { createExternalBuffer, DataType, type JsExternal, load, open } from 'ffi-rs';

const LIBRARY = 'libc';
let opened = false;

/** A number is passed as a C int, a bigint as a 64-bit value or pointer, bytes as a pointer to them, a string as char*. */
export type Argument = number | bigint | Uint8Array | string;

export interface CallResult<T> {
  readonly value: T;
  readonly errno: number;
}

/** Calls libc's `name`, which returns an int. */
export function callInt(name: string, ...values: Argument[]): CallResult<number> {
  const result = call(name, DataType.I32, values) as { value: number; errnoCode: number };
  return { value: result.value, errno: result.errnoCode };
}

/** Calls libc's `name`, which returns a long or a pointer. */
export function callLong(name: string, ...values: Argument[]): CallResult<bigint> {
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

function call(funcName: string, retType: DataType, values: readonly Argument[]): unknown {
  if (!opened) {
    open({ library: LIBRARY, path: 'libc.so.6' });
    opened = true;
  }
  return load({
    library: LIBRARY,
    funcName,
    retType,
    paramsType: values.map(typeOf),
    paramsValue: values.map((value) => (value instanceof Uint8Array ? asBuffer(value) : value)),
    errno: true,
  } as never);
}

function typeOf(value: Argument): DataType {
  if (typeof value === 'number') return DataType.I32;
  if (typeof value === 'bigint') return DataType.BigInt;
  return typeof value === 'string' ? DataType.String : DataType.U8Array;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
