// Encodes values to bytes and decodes them, by the tables of fields (struct.ts). It allocates, so it is for the control
// plane and for set-up. The data path writes words at known indices instead (io-uring-words.ts, ublk-words.ts).
import type { Field, Fields, NestedField, ScalarField, ScalarKind, StructLayout } from './struct.ts';

type ScalarValue<Kind extends ScalarKind> = Kind extends 'u64' | 's64' ? bigint : number;

type FieldValue<F extends Field> =
  F extends ScalarField<infer Kind>
    ? ScalarValue<Kind>
    : F extends NestedField<infer Nested>
      ? StructValue<Nested>
      : never;

type FieldInit<F extends Field> = F extends NestedField<infer Nested> ? StructInit<Nested> : FieldValue<F>;

type ValueKeys<F extends Fields> = { [K in keyof F]: F[K]['kind'] extends 'reserved' ? never : K }[keyof F];

/** The result of decoding: every field except the reserved ones, under the kernel's names. */
export type StructValue<L extends StructLayout> = {
  readonly [K in ValueKeys<L['fields']>]: FieldValue<L['fields'][K]>;
};

/** The input of encoding. A field that is left out is zero, as in an initializer in C. */
export type StructInit<L extends StructLayout> = {
  readonly [K in ValueKeys<L['fields']>]?: FieldInit<L['fields'][K]>;
};

/** Encodes the struct into a new buffer. Throws a RangeError for a number that its field cannot hold. */
export function encode<L extends StructLayout>(layout: L, value: StructInit<L>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(layout.size);
  encodeInto(viewOf(bytes), 0, layout, value);
  return bytes;
}

/** Encodes the struct at `offset`. Reserved bytes become zero; padding that no field names stays as it was. */
export function encodeInto<L extends StructLayout>(
  view: DataView,
  offset: number,
  layout: L,
  value: StructInit<L>,
): void {
  requireRoom(layout, view.byteLength, offset);
  writeFields(view, offset, layout, value);
}

/**
 * Decodes the struct at `offset` of `bytes`. Throws a RangeError that names the struct when `bytes` is too short, or
 * when a size in it is too large for an exact number.
 */
export function decode<L extends StructLayout>(layout: L, bytes: Uint8Array, offset = 0): StructValue<L> {
  requireRoom(layout, bytes.byteLength, offset);
  // readFields builds the record from the tables from which the type is derived, so the cast is safe.
  return readFields(viewOf(bytes), offset, layout) as StructValue<L>;
}

function writeFields(view: DataView, offset: number, layout: StructLayout, value: Readonly<Record<string, unknown>>) {
  for (const [name, field] of Object.entries(layout.fields)) {
    const at = offset + field.offset;
    const given = value[name];
    if (field.kind === 'reserved') {
      for (let i = 0; i < field.size; i++) view.setUint8(at + i, 0);
    } else if (field.kind === 'struct') {
      writeFields(view, at, field.layout, isRecord(given) ? given : {});
    } else if (field.kind === 'u64' || field.kind === 's64') {
      writeBigInt(view, at, field.kind, `${layout.name}.${name}`, given ?? 0n);
    } else {
      writeNumber(view, at, field.kind, `${layout.name}.${name}`, given ?? 0);
    }
  }
}

function writeBigInt(view: DataView, at: number, kind: 'u64' | 's64', what: string, value: unknown): void {
  if (typeof value !== 'bigint' || wrap(kind, value) !== value) throw outOfRange(what, kind, value);
  view.setBigUint64(at, BigInt.asUintN(64, value), true);
}

function wrap(kind: 'u64' | 's64', value: bigint): bigint {
  return kind === 'u64' ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value);
}

function writeNumber(view: DataView, at: number, kind: NumberKind, what: string, value: unknown): void {
  const [least, most] = RANGES[kind];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw outOfRange(what, kind, value);
  }
  if (kind === 'u8') view.setUint8(at, value);
  else if (kind === 'u16') view.setUint16(at, value, true);
  else if (kind === 'size64') view.setBigUint64(at, BigInt(value), true);
  else view.setInt32(at, value, true);
}

function readFields(view: DataView, offset: number, layout: StructLayout): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(layout.fields)) {
    const at = offset + field.offset;
    if (field.kind === 'struct') value[name] = readFields(view, at, field.layout);
    else if (field.kind !== 'reserved') value[name] = readScalar(view, at, field.kind, `${layout.name}.${name}`);
  }
  return value;
}

function readScalar(view: DataView, at: number, kind: ScalarKind, what: string): number | bigint {
  switch (kind) {
    case 'u8':
      return view.getUint8(at);
    case 'u16':
      return view.getUint16(at, true);
    case 'u32':
      return view.getUint32(at, true);
    case 's32':
      return view.getInt32(at, true);
    case 'u64':
      return view.getBigUint64(at, true);
    case 's64':
      return view.getBigInt64(at, true);
    case 'size64':
      return readSize(view, at, what);
    default:
      throw new TypeError(`no such kind of field: ${String(kind satisfies never)}`);
  }
}

function readSize(view: DataView, at: number, what: string): number {
  const size = view.getBigUint64(at, true);
  if (size > Number.MAX_SAFE_INTEGER) throw outOfRange(what, 'size64', size);
  return Number(size);
}

type NumberKind = Exclude<ScalarKind, 'u64' | 's64'>;

const RANGES: Readonly<Record<NumberKind, readonly [number, number]>> = {
  u8: [0, 0xff],
  u16: [0, 0xffff],
  u32: [0, 0xffffffff],
  s32: [-0x80000000, 0x7fffffff],
  size64: [0, Number.MAX_SAFE_INTEGER],
};

function requireRoom(layout: StructLayout, length: number, offset: number): void {
  if (!Number.isInteger(offset) || offset < 0 || offset + layout.size > length) {
    throw new RangeError(`struct ${layout.name}: ${layout.size} bytes at ${offset} do not fit in ${length}`);
  }
}

function outOfRange(what: string, kind: ScalarKind, value: unknown): RangeError {
  return new RangeError(`struct ${what}: ${String(value)} is not a ${kind === 'size64' ? 'safe 64-bit size' : kind}`);
}

// The view needs byteOffset, because a Buffer from Node's pool can start anywhere in its ArrayBuffer.
function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
