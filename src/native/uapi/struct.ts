// Describes a kernel struct by one table of its fields, which both the codecs (codec.ts) and the ABI test read, so that
// each offset is written down once. Offsets are explicit, because the kernel never moves a field.

export interface ScalarField<Kind extends ScalarKind = ScalarKind> {
  readonly kind: Kind;
  readonly offset: number;
  readonly size: number;
}

/**
 * The kinds of numbers. `u64` is a bigint, for flags, addresses and all that may use 64 bits. `size64` is a __u64 that
 * holds a size or a position: a number that is checked to be a safe integer when it is read and when it is written.
 */
export type ScalarKind = 'u8' | 'u16' | 'u32' | 's32' | 'u64' | 's64' | 'size64';

/** Bytes that are written as zero and never decoded. */
export interface ReservedField {
  readonly kind: 'reserved';
  readonly offset: number;
  readonly size: number;
}

export interface NestedField<Nested extends StructLayout = StructLayout> {
  readonly kind: 'struct';
  readonly offset: number;
  readonly size: number;
  readonly layout: Nested;
}

export type Field = ScalarField | ReservedField | NestedField;
export type Fields = Readonly<Record<string, Field>>;

export interface StructLayout<F extends Fields = Fields> {
  /** The kernel's name, without `struct`. */
  readonly name: string;
  /** The size that C's sizeof gives. */
  readonly size: number;
  readonly fields: F;
  /** Other names of the same bytes (unions in C). They have offsets and are not part of the value. */
  readonly aliases: Fields;
}

export function struct<const F extends Fields>(
  name: string,
  size: number,
  fields: F,
  aliases: Fields = {},
): StructLayout<F> {
  return { name, size, fields, aliases };
}

export const u8 = (offset: number): ScalarField<'u8'> => ({ kind: 'u8', offset, size: 1 });
export const u16 = (offset: number): ScalarField<'u16'> => ({ kind: 'u16', offset, size: 2 });
export const u32 = (offset: number): ScalarField<'u32'> => ({ kind: 'u32', offset, size: 4 });
export const s32 = (offset: number): ScalarField<'s32'> => ({ kind: 's32', offset, size: 4 });
export const u64 = (offset: number): ScalarField<'u64'> => ({ kind: 'u64', offset, size: 8 });
export const s64 = (offset: number): ScalarField<'s64'> => ({ kind: 's64', offset, size: 8 });
export const size64 = (offset: number): ScalarField<'size64'> => ({ kind: 'size64', offset, size: 8 });
export const reserved = (offset: number, size: number): ReservedField => ({ kind: 'reserved', offset, size });

export function nested<Nested extends StructLayout>(offset: number, layout: Nested): NestedField<Nested> {
  return { kind: 'struct', offset, size: layout.size, layout };
}
