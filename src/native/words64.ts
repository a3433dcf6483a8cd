/**
 * Adds 64-bit values on the hot path, where a 64-bit value is a pair of int32 words, low and high, because a BigInt
 * would allocate. `more` is a whole number below 2^32.
 *
 * The functions are constants: the JIT checks a declared function at each call (docs/decisions/0011).
 */

/** The low word of the sum of a pair and `more`. */
export const sumLo = (lo: number, more: number): number => (lo + more) | 0;

/** The high word of the sum of the pair (`lo`, `hi`) and `more`. If the low word has become smaller, it has overflowed. */
export const sumHi = (lo: number, hi: number, more: number): number =>
  (hi + (sumLo(lo, more) >>> 0 < lo >>> 0 ? 1 : 0)) | 0;

/** The words of an address or a position. It takes a BigInt, so it is not for the hot path. */
export function wordsOf(value: bigint): readonly [lo: number, hi: number] {
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}

/** The address that two words hold. Not for the hot path. */
export function addressOf(lo: number, hi: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo >>> 0);
}
