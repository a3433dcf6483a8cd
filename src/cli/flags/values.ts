/** Flags by the kind of value they take. */
import * as Flags from '@oclif/core/flags';
import type { BooleanFlag } from '@oclif/core/interfaces';
import { usageError } from '../../errors.ts';
import { parseDeviceId, parseNewDeviceId } from './device-id.ts';
import { parseCpuList } from '../../device/cpu-list.ts';
import { parseSize } from '../../sizes.ts';

/** oclif types a switch as boolean, and without a default leaves it undefined when it is not given. */
export function onOff(options: Partial<BooleanFlag<boolean>>): BooleanFlag<boolean> {
  return Flags.boolean({ default: false, ...options });
}

const WHOLE = /^(?:\d+|0x[0-9a-f]+)$/i;

/** A count; hexadecimal with 0x, as strtoul takes it. */
export const wholeNumber = Flags.custom<number>({
  helpValue: 'N',
  parse: (text) => Promise.resolve(parseWholeNumber(text)),
});

/** A count that fits into the kernel's u8. */
export const byte = Flags.custom<number>({
  helpValue: 'N',
  parse: (text) => Promise.resolve(parseWholeNumber(text, 0xff)),
});

/** A count that fits into the kernel's u32. */
export const word = Flags.custom<number>({
  helpValue: 'N',
  parse: (text) => Promise.resolve(parseWholeNumber(text, 0xffff_ffff)),
});

export const hexMask = Flags.custom<number>({
  helpValue: 'HEX',
  parse: (text) => Promise.resolve(parseHex(text)),
});

/** Bytes. */
export const size = Flags.custom<number>({
  helpValue: 'SIZE',
  parse: (text) => Promise.resolve(parseSize(text)),
});

/** Bytes of a device; how many bytes its logical block has is known only to the device. */
export const sectorSize = Flags.custom<number>({
  helpValue: 'SIZE',
  parse: (text) => Promise.resolve(parseSize(text, { multipleOf: 512 })),
});

/** Bytes of memory that is pinned page by page. */
export const pagesSize = Flags.custom<number>({
  helpValue: 'SIZE',
  parse: (text) => Promise.resolve(parseSize(text, { multipleOf: 4096 })),
});

/** `0-3,8`. */
export const cpuList = Flags.custom<number[]>({
  helpValue: 'LIST',
  parse: (text) => Promise.resolve(parseCpuList(text)),
});

export const deviceId = Flags.custom<number>({
  helpValue: 'DEVICE',
  parse: (text) => Promise.resolve(parseDeviceId(text)),
});

export const newDeviceId = Flags.custom<number>({
  helpValue: 'DEVICE',
  parse: (text) => Promise.resolve(parseNewDeviceId(text)),
});

/** kublk's `-r 1`: a switch that takes its position as a value. */
export const zeroOrOne = Flags.custom<boolean>({
  helpValue: '0|1',
  parse: (text) => Promise.resolve(parseZeroOrOne(text)),
});

export function parseWholeNumber(text: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = WHOLE.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw usageError(`${JSON.stringify(text)} is not a whole number`);
  if (value > most) throw usageError(`${text} is too large`, `the limit is ${most}`);
  return value;
}

function parseHex(text: string): number {
  const value = /^(?:0x)?[0-9a-f]{1,8}$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN;
  if (Number.isNaN(value)) throw usageError(`${JSON.stringify(text)} is not a hexadecimal mask`);
  return value;
}

function parseZeroOrOne(text: string): boolean {
  if (text !== '0' && text !== '1') throw usageError(`${JSON.stringify(text)} is neither 0 nor 1`);
  return text === '1';
}
