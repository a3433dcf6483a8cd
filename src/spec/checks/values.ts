/** Whether the values of a device's options are of the kinds that they must be. */
import { isAbsolute } from 'node:path';
import {
  COUNT,
  isObject,
  type Kind,
  type Kinds,
  listOf,
  NUMBER,
  objectOf,
  oneOf,
  orNull,
  requireKind,
  requireNames,
  SWITCH,
  TEXT,
} from '../../kinds.ts';
import { AUTO_DEVICE_ID, isDeviceId, MAX_DEVICE_ID } from '../../native/device-ids.ts';
import type { AddOptions, IntegrityOptions, SharedBufferOptions } from '../options.ts';

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

const KINDS: Kinds<keyof AddOptions> = {
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
  debugMask: COUNT,
};

/** Throws a UblkError for the first option that is unknown, missing or of another kind. */
export function checkValues(options: AddOptions): void {
  requireNames(options, KINDS, 'a device');
  for (const name of Object.keys(KINDS) as (keyof AddOptions)[]) requireKind(name, options[name], KINDS[name]);
}

/** The same for some options. One that is undefined is left out. */
export function checkGivenValues(options: Partial<AddOptions>): void {
  requireNames(options, KINDS, 'a device');
  for (const name of Object.keys(KINDS) as (keyof AddOptions)[]) {
    if (options[name] !== undefined) requireKind(name, options[name], KINDS[name]);
  }
}
