/** Whether the values of options are of the kinds that they must be. A caller in JavaScript has no compiler that says so. */
import { isAbsolute } from 'node:path';
import { inspect } from 'node:util';
import { usageError } from '../../errors.ts';
import { AUTO_DEVICE_ID, isDeviceId, MAX_DEVICE_ID } from '../../native/device-ids.ts';
import type { AddOptions, IntegrityOptions, SharedBufferOptions } from '../options.ts';

interface Kind {
  readonly is: (value: unknown) => boolean;
  /** The words behind "not". */
  readonly words: string;
}

const TEXT: Kind = { is: (value) => typeof value === 'string', words: 'a text' };
const SWITCH: Kind = { is: (value) => typeof value === 'boolean', words: 'true or false' };
/** Its range is the business of other checks. */
const NUMBER: Kind = { is: (value) => typeof value === 'number', words: 'a number' };
const MASK: Kind = { is: (value) => Number.isInteger(value) && Number(value) >= 0, words: 'a whole number from 0 up' };
const PATH: Kind = { is: (value) => typeof value === 'string' && isAbsolute(value), words: 'an absolute path' };
const BUFFER = objectOf<SharedBufferOptions>({ path: PATH, readOnly: SWITCH });
const INTEGRITY = objectOf<IntegrityOptions>({
  metadataSize: NUMBER,
  capable: SWITCH,
  reftag: SWITCH,
  piOffset: NUMBER,
  csumType: oneOf('none', 'ip', 't10dif', 'nvme'),
  tagSize: NUMBER,
});

const ID: Kind = {
  is: (value) => value === AUTO_DEVICE_ID || isDeviceId(value),
  words: `${AUTO_DEVICE_ID} or a whole number from 0 to ${MAX_DEVICE_ID}`,
};

const KINDS: Readonly<Record<keyof AddOptions, Kind>> = {
  target: TEXT,
  files: listOf(TEXT),
  targetOptions: { is: (value) => isObject(value) && Object.values(value).every(TEXT.is), words: 'an object of texts' },
  share: SWITCH,
  id: ID,
  queues: NUMBER,
  depth: NUMBER,
  features: listOf(TEXT),
  dataPath: orNull(TEXT),
  threads: NUMBER,
  cpus: listOf(NUMBER),
  perIoTasks: SWITCH,
  autoZcFallback: SWITCH,
  rotateAutoBuf: SWITCH,
  noUblkFixedFd: SWITCH,
  ioDescSize: NUMBER,
  maxIoBufBytes: NUMBER,
  integrity: orNull(INTEGRITY),
  buffers: listOf(BUFFER),
  mlock: SWITCH,
  server: orNull(TEXT),
  quiet: SWITCH,
  debugMask: MASK,
};

/** Throws a UblkError for the first option that is unknown, missing or of another kind. */
export function checkValues(options: AddOptions): void {
  checkNames(options);
  for (const name of Object.keys(KINDS) as (keyof AddOptions)[]) checkValue(name, options[name]);
}

/** The same for some options. One that is undefined is left out. */
export function checkGivenValues(options: Partial<AddOptions>): void {
  checkNames(options);
  for (const name of Object.keys(KINDS) as (keyof AddOptions)[]) {
    if (options[name] !== undefined) checkValue(name, options[name]);
  }
}

function checkNames(options: Partial<AddOptions>): void {
  const unknown = Object.entries(options).find(([name, value]) => value !== undefined && !Object.hasOwn(KINDS, name));
  if (unknown !== undefined)
    throw usageError(`a device has no option ${unknown[0]}`, `its options are ${Object.keys(KINDS).join(', ')}`);
}

function checkValue(name: keyof AddOptions, value: unknown): void {
  const { is, words } = KINDS[name];
  if (!is(value)) throw usageError([{ option: name }, ` is ${inspect(value)}, not ${words}`]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf({ is, words }: Kind): Kind {
  // `every` leaves out the holes of a list.
  return { is: (value) => Array.isArray(value) && [...value].every(is), words: `a list, with ${words} in each place` };
}

function orNull({ is, words }: Kind): Kind {
  return { is: (value) => value === null || is(value), words: `${words} or null` };
}

function oneOf(...names: readonly string[]): Kind {
  return { is: (value) => names.some((name) => name === value), words: names.join(' or ') };
}

function objectOf<T>(kinds: Readonly<Record<keyof T & string, Kind>>): Kind {
  const all = Object.entries<Kind>(kinds);
  return {
    is: (value) =>
      isObject(value) &&
      Object.keys(value).every((name) => Object.hasOwn(kinds, name)) &&
      all.every(([name, { is }]) => is(value[name])),
    words: `an object of ${all.map(([name, { words }]) => `${name} (${words})`).join(', ')}`,
  };
}
