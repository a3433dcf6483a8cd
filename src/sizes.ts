/**
 * Sizes as people write them and as they read them. The arithmetic is in BigInt: `1.1T` times 2^40 in doubles is not the
 * number that was meant, and a block device one byte off is a different device.
 */
import { joinTexts, type Text, usageError } from './errors.ts';

const UNITS = ['', 'K', 'M', 'G', 'T', 'P', 'E'] as const;
const SIZE = /^(?<whole>\d+)(?:\.(?<part>\d+))?\s*(?<unit>[kmgtpe]?)(?<base>ib|b)?$/i;
const EXAMPLES = 'write 512, 4k, 64KiB, 1G or 1.5T (K and KiB are 1024, KB is 1000)';

export interface SizeLimits {
  /** Bytes; the logical block of the device, or its 512-byte sector where that is not known yet. */
  readonly multipleOf?: number;
  /** Names what is being measured, for the message: an option, or a word. */
  readonly what?: Text;
}

/** Bytes. K, M, G ... and KiB, MiB ... are powers of 1024, KB, MB ... of 1000, as in util-linux. */
export function parseSize(text: string, { multipleOf = 1, what = 'size' }: SizeLimits = {}): number {
  const groups = SIZE.exec(text.trim())?.groups;
  if (groups === undefined) throw usageError(joinTexts(what, ` ${JSON.stringify(text)} is not a size`), EXAMPLES);

  const { whole = '', part = '', unit = '', base = '' } = groups;
  const exponent = BigInt(UNITS.indexOf(unit.toUpperCase() as (typeof UNITS)[number]));
  const thousand = unit !== '' && base.toLowerCase() === 'b' ? 1000n : 1024n;
  const scaled = BigInt(whole + part) * thousand ** exponent;
  const denominator = 10n ** BigInt(part.length);
  if (scaled % denominator !== 0n)
    throw usageError(joinTexts(what, ` ${text} is not a whole number of bytes`), EXAMPLES);

  const bytes = scaled / denominator;
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER))
    throw usageError(joinTexts(what, ` ${text} is too large`), 'the limit is 8P - 1');
  if (bytes % BigInt(multipleOf) !== 0n) {
    throw usageError(
      joinTexts(what, ` ${text} is ${bytes} bytes, not a multiple of ${multipleOf}`),
      nearest(bytes, multipleOf),
    );
  }
  return Number(bytes);
}

/** The largest unit with a digit before the point, one decimal only where the number has one: `250G`, `1.5T`, `640`. */
export function formatSize(bytes: number): string {
  let power = 0;
  while (power + 1 < UNITS.length && bytes >= 1024 ** (power + 1)) power++;
  let tenths = roundedTenths(bytes, power);
  // 1048575 is `1M`, not `1024K`.
  if (tenths >= 10240n && power + 1 < UNITS.length) tenths = roundedTenths(bytes, ++power);
  const decimal = tenths % 10n === 0n ? '' : `.${tenths % 10n}`;
  return `${tenths / 10n}${decimal}${UNITS[power]}`;
}

function roundedTenths(bytes: number, power: number): bigint {
  const unit = 1024n ** BigInt(power);
  return (BigInt(bytes) * 10n + unit / 2n) / unit;
}

function nearest(bytes: bigint, multipleOf: number): string {
  const unit = BigInt(multipleOf);
  const below = (bytes / unit) * unit;
  return below === 0n ? `the next is ${unit}` : `the nearest are ${below} and ${below + unit}`;
}
