/** Checks what a target's `open` has returned: each property by its type and its range. */
import { usageError } from '../../errors.ts';
import type { Handlers } from './define.ts';
import { isObject } from '../../kinds.ts';
import { type Misspelt, misspeltNames } from './misspelt.ts';

const FUNCTIONS = ['write', 'flush', 'discard', 'writeZeroes', 'close'];
const NUMBERS = ['size', 'blockSize', 'physicalBlockSize', 'maxBytes', 'discardGranularity', 'concurrency', 'timeout'];
const BOOLEANS = ['readOnly', 'rotational'];
const BLOCKS = [512, 1024, 2048, 4096];
/** The kernel makes no device that cannot take a page in one request. */
const LEAST_MAX_BYTES = 4096;
/** The driver refuses a larger physical block (SET_PARAMS, Linux 7.3). */
const MOST_PHYSICAL = 2 ** 28;

/** Throws a UblkError that says what is wrong, in one sentence. */
export function requireHandlers(value: unknown, file: string): Handlers {
  const wrong = isObject(value) ? problemOf(value) : 'it returned no object';
  if (wrong === null) return value as Handlers;
  const [misspelt] = isObject(value) ? misspeltHandlers(value) : [];
  throw usageError(
    `target ${file}: what \`open\` returned cannot be served: ${wrong}`,
    misspelt === undefined ? undefined : `it has \`${misspelt.name}\`: did you mean \`${misspelt.meant}\`?`,
  );
}

/** Names that were probably meant to be those of handlers and other properties. */
export function misspeltHandlers(handlers: object): Misspelt[] {
  return [
    ...misspeltNames(handlers, ['read', ...FUNCTIONS], true),
    ...misspeltNames(handlers, [...NUMBERS, ...BOOLEANS], false),
  ];
}

function problemOf(handlers: Readonly<Record<string, unknown>>): string | null {
  if (typeof handlers['read'] !== 'function') return '`read` is not a function';
  const typed = [
    ...FUNCTIONS.map((name) => [name, 'function'] as const),
    ...NUMBERS.map((name) => [name, 'number'] as const),
    ...BOOLEANS.map((name) => [name, 'boolean'] as const),
  ];
  for (const [name, type] of typed) {
    const value = handlers[name];
    if (value !== undefined && typeof value !== type) return `\`${name}\` is ${typeof value}, not ${type}`;
  }
  return numbersProblem(handlers as unknown as Handlers);
}

function numbersProblem(handlers: Handlers): string | null {
  const {
    size,
    blockSize = 512,
    physicalBlockSize = 4096,
    maxBytes = LEAST_MAX_BYTES,
    concurrency = 1,
    timeout = 1,
  } = handlers;
  const { discardGranularity = blockSize } = handlers;
  if (!BLOCKS.includes(blockSize)) return `\`blockSize\` is ${blockSize}, not one of ${BLOCKS.join(', ')}`;
  if (size === 0) return `\`size\` is 0: a device has at least one block, of ${blockSize} bytes`;
  if (size > Number.MAX_SAFE_INTEGER) return `\`size\` is ${size}, more than 2^53 - 1`;
  if (!isWhole(size, blockSize))
    return `\`size\` is ${String(size)}, not a multiple of the block of ${blockSize} bytes`;
  if (!isPowerOfTwo(physicalBlockSize) || physicalBlockSize > MOST_PHYSICAL)
    return `\`physicalBlockSize\` is ${physicalBlockSize}, not a power of two up to ${MOST_PHYSICAL}`;
  if (!isWhole(maxBytes, blockSize))
    return `\`maxBytes\` is ${maxBytes}, not a multiple of the block of ${blockSize} bytes`;
  if (maxBytes < LEAST_MAX_BYTES) return `\`maxBytes\` is ${maxBytes}, less than ${LEAST_MAX_BYTES}`;
  if (!isPowerOfTwo(discardGranularity) || discardGranularity < blockSize) {
    return `\`discardGranularity\` is ${discardGranularity}, not a power of two from the block of ${blockSize} bytes up`;
  }
  if (!Number.isInteger(concurrency) || concurrency < 1)
    return `\`concurrency\` is ${concurrency}, not a whole number from 1 up`;
  if (!(timeout > 0)) return `\`timeout\` is ${timeout}, not a number of seconds above 0`;
  if (handlers.readOnly === false && handlers.write === undefined)
    return '`readOnly` is false, and there is no `write`';
  return null;
}

function isWhole(bytes: unknown, block: number): boolean {
  return Number.isSafeInteger(bytes) && (bytes as number) > 0 && (bytes as number) % block === 0;
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value <= 2 ** 30 && (value & (value - 1)) === 0;
}
