/** Kinds of flags, by the value that they take. */
import * as Flags from '@oclif/core/flags';
import type { BooleanFlag } from '@oclif/core/interfaces';
import { usageError } from '../../errors.ts';
import { OPTIONAL_NAME, ZERO_OR_ONE } from '../argv/normalise.ts';
import { parseDeviceId, parseNewDeviceId } from './device-id.ts';
import { parseCpuList } from '../../device/cpu-list.ts';
import { parseSize } from '../../sizes.ts';
import { serverName } from '../../spec/server-options.ts';

/** A switch that is off by default. Without a default, oclif leaves it undefined although its type is boolean. */
export function onOff(options: Partial<BooleanFlag<boolean>>): BooleanFlag<boolean> {
  return Flags.boolean({ default: false, ...options });
}

const WHOLE = /^(?:\d+|0x[0-9a-f]+)$/i;

/** A count, in decimal or with 0x in hexadecimal, as strtoul reads it. */
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

/** A size in bytes. */
export const size = Flags.custom<number>({
  helpValue: 'SIZE',
  parse: (text) => Promise.resolve(parseSize(text)),
});

/** The size of a device in bytes. Its logical block size is not known here, so the size is a multiple of 512. */
export const sectorSize = Flags.custom<number>({
  helpValue: 'SIZE',
  parse: (text) => Promise.resolve(parseSize(text, { multipleOf: 512 })),
});

/** A size of memory that is pinned in pages of 4096 bytes. */
export const pagesSize = Flags.custom<number>({
  helpValue: 'SIZE',
  parse: (text) => Promise.resolve(parseSize(text, { multipleOf: 4096 })),
});

/** A list of CPUs: `0-3,8`. */
export const cpuList = Flags.custom<number[]>({
  helpValue: 'LIST',
  parse: (text) => Promise.resolve(parseCpuList(text)),
});

export const deviceId = Flags.custom<number>({
  helpValue: 'DEVICE',
  parse: (text) => Promise.resolve(parseDeviceId(text)),
});

/** The name of a resident server, which may be left out. */
export const residentServer = Flags.custom({
  helpValue: OPTIONAL_NAME,
  parse: (text) => Promise.resolve(serverName(text)),
});

export const newDeviceId = Flags.custom<number>({
  helpValue: 'DEVICE',
  parse: (text) => Promise.resolve(parseNewDeviceId(text)),
});

/** A switch that takes 0 or 1 as its value, as kublk's `-r 1` does. argv/normalise.ts has refused any other value. */
export const zeroOrOne = Flags.custom<boolean>({
  helpValue: ZERO_OR_ONE,
  parse: (text) => Promise.resolve(text === '1'),
});

export function parseWholeNumber(text: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = WHOLE.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw usageError(`${JSON.stringify(text)} is not a whole number`, 'for example 8');
  if (value > most) throw usageError(`${text} is too large`, `the limit is ${most}`);
  return value;
}

function parseHex(text: string): number {
  const value = /^(?:0x)?[0-9a-f]{1,8}$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN;
  if (Number.isNaN(value)) throw usageError(`${JSON.stringify(text)} is not a hexadecimal mask`, 'for example 0x3');
  return value;
}
