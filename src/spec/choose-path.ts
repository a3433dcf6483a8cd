/**
 * Which way data travels when nobody says: the path that measures fastest for the target (docs/performance.md) among
 * those that change nothing a client can see. `--data_path` names one; any of kublk's mode flags decides for itself.
 */
import { usageError } from '../errors.ts';
import { UBLK_FEATURES } from '../native/uapi/ublk-features.ts';
import type { AddOptions } from './options.ts';

const PATHS: Readonly<Record<string, readonly string[]>> = {
  copy: [],
  get_data: ['NEED_GET_DATA'],
  user_copy: ['USER_COPY'],
  zero_copy: ['SUPPORT_ZERO_COPY'],
  auto_zc: ['AUTO_BUF_REG'],
};
const BATCH = 'batch+';
/** The same paths delivered in batches; the driver has no batch form of get_data. */
const NAMES = [
  ...Object.keys(PATHS),
  ...Object.keys(PATHS)
    .filter((path) => path !== 'get_data')
    .map((path) => BATCH + path),
];

/** Flags that say how data travels or what it needs to: with one of them nothing is chosen. */
const DECIDING = [
  'NEED_GET_DATA',
  'USER_COPY',
  'SUPPORT_ZERO_COPY',
  'AUTO_BUF_REG',
  'BATCH_IO',
  // What does not match is to be copied, and counted so.
  'SHMEM_ZC',
  'ZONED',
  'INTEGRITY',
  'UNPRIVILEGED_DEV',
];

export function dataPathNames(): readonly string[] {
  return NAMES;
}

/** `available`: the driver's features. The options with the features of the path that was asked for or chosen. */
export function withDataPath(
  options: AddOptions,
  type: { readonly prefers: readonly string[] },
  available: bigint,
): AddOptions {
  const decided = options.features.filter((feature) => DECIDING.includes(feature));
  if (options.dataPath !== null) return named(options, options.dataPath, decided);
  if (decided.length > 0 || options.integrity !== null || options.perIoTasks) return options;
  const chosen = type.prefers.find((path) => featuresOf(path).every((feature) => has(available, feature)));
  return chosen === undefined ? options : withFeatures(options, featuresOf(chosen));
}

function named(options: AddOptions, path: string, decided: readonly string[]): AddOptions {
  if (!NAMES.includes(path)) throw usageError(`no data path is called '${path}'`, `there are ${NAMES.join(', ')}`);
  const other = decided.filter((feature) => feature !== 'SHMEM_ZC' && !featuresOf(path).includes(feature));
  if (other.length > 0) {
    throw usageError(`--data_path ${path} and a flag for another path (${other.join(', ')})`, 'name one or the other');
  }
  return withFeatures(options, featuresOf(path));
}

function featuresOf(path: string): string[] {
  const batch = path.startsWith(BATCH);
  const features = PATHS[batch ? path.slice(BATCH.length) : path] ?? [];
  return batch ? [...features, 'BATCH_IO'] : [...features];
}

function withFeatures(options: AddOptions, features: readonly string[]): AddOptions {
  return { ...options, features: [...new Set([...options.features, ...features])] };
}

function has(available: bigint, name: string): boolean {
  const feature = UBLK_FEATURES.find((known) => known.name === `UBLK_F_${name}`);
  return feature !== undefined && (available & feature.flag) !== 0n;
}
