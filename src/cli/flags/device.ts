/** The flag and the arguments that name an existing device. */
import * as Args from '@oclif/core/args';
import { usageError } from '../../errors.ts';
import { parseDeviceId } from './device-id.ts';
import { deviceId } from './values.ts';

export const numberFlag = deviceId({
  char: 'n',
  summary: 'The device: 0, ublkb0, /dev/ublkb0 or /dev/ublkc0.',
  helpGroup: 'DEVICE',
});

/** For a command of several devices. */
export const numbersFlag = deviceId({
  char: 'n',
  multiple: true,
  multipleNonGreedy: true,
  summary: 'The device: 0, ublkb0, /dev/ublkb0 or /dev/ublkc0; may be repeated.',
  helpGroup: 'DEVICE',
});

/** The device as a word of its own, without `-n`. Without `ignoreStdin`, oclif would read it from standard input. */
export const deviceArg = Args.custom<number>({
  description: 'The device, as for -n.',
  ignoreStdin: true,
  parse: (text) => Promise.resolve(parseDeviceId(text)),
})();

export const deviceArgs = Args.custom<number>({
  description: 'The devices, as for -n.',
  ignoreStdin: true,
  parse: (text) => Promise.resolve(parseDeviceId(text)),
})({ multiple: true });

export function requireDevice(flag: number | undefined, arg: number | undefined): number {
  if (flag !== undefined && arg !== undefined && flag !== arg) {
    throw usageError(`two devices are named: ${flag} and ${arg}`, 'name one device');
  }
  const id = flag ?? arg;
  if (id === undefined) throw usageError('no device is named', 'name it with -n, for example -n 0');
  return id;
}

/** The devices that were named, each of them once and in order. */
export function namedDevices(flags: readonly number[] = [], args: readonly number[] = []): number[] {
  return [...new Set([...flags, ...args])];
}
