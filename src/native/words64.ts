/**
 * Adds 64-bit values on the hot path, where a 64-bit value is a pair of int32 words, low and high, because a BigInt
 * would allocate. `more` is a whole number from 0 to 2^32.
 */

/** The low word of the sum of a pair and `more`. */
export function sumLo(lo: number, more: number): number {
  return ((lo >>> 0) + more) | 0;
}

/** The high word of the sum of the pair (`lo`, `hi`) and `more`. */
export function sumHi(lo: number, hi: number, more: number): number {
  return (hi + ((lo >>> 0) + more > 0xffffffff ? 1 : 0)) | 0;
}

/** The words of an address or a position. It takes a BigInt, so it is not for the hot path. */
export function wordsOf(value: bigint): readonly [lo: number, hi: number] {
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}
