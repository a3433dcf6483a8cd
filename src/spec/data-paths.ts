/**
 * The data paths: the ways in which the data of a request gets from the client to the target and back, unless it lies in
 * a registered shared buffer. Each is described here once; the code of each is in queue/data-path/.
 */
import { usageError } from '../errors.ts';
import type { StatWay } from '../stats/layout.ts';
import type { Feature, FeatureSet } from './features.ts';
import { option } from './option-names.ts';

export type DataPathName = 'copy' | 'get_data' | 'user_copy' | 'zero_copy' | 'auto_zc' | 'auto_zc_fallback';

/** How requests reach the server: one command per tag, or many requests per command (UBLK_F_BATCH_IO). */
export type Delivery = 'per_tag' | 'batch';

export interface DataPath {
  readonly name: DataPathName;
  /**
   * The features that the driver must be asked for; a device has this path exactly if it has these and no other path's
   * features.
   */
  readonly features: readonly Feature[];
  /** Whether the data passes through memory of the server's own, `maxIoBufBytes` for each request. */
  readonly needsBuffers: boolean;
  /** Whether the pages of a request become a registered buffer of the ring. */
  readonly registers: boolean;
  /** The path that it becomes in batches: itself, or another where the driver has no batch form of it. */
  readonly inBatches: DataPathName;
  /** How its requests are counted. */
  readonly countedAs: StatWay;
}

const COPIES = { needsBuffers: true, registers: false, countedAs: 'copied' } as const;
const REGISTERS = { needsBuffers: false, registers: true, countedAs: 'registered' } as const;

export const DATA_PATHS: Readonly<Record<DataPathName, DataPath>> = {
  copy: { name: 'copy', features: [], ...COPIES, inBatches: 'copy' },
  // In batches the driver copies the data of a write at once, as `copy` does.
  get_data: { name: 'get_data', features: ['NEED_GET_DATA'], ...COPIES, inBatches: 'copy' },
  user_copy: { name: 'user_copy', features: ['USER_COPY'], ...COPIES, inBatches: 'user_copy' },
  zero_copy: { name: 'zero_copy', features: ['SUPPORT_ZERO_COPY'], ...REGISTERS, inBatches: 'zero_copy' },
  auto_zc: { name: 'auto_zc', features: ['AUTO_BUF_REG'], ...REGISTERS, inBatches: 'auto_zc' },
  auto_zc_fallback: {
    name: 'auto_zc_fallback',
    features: ['SUPPORT_ZERO_COPY', 'AUTO_BUF_REG'],
    ...REGISTERS,
    inBatches: 'auto_zc_fallback',
  },
};

/** Features that belong to some data path. */
export const PATH_FEATURES: readonly Feature[] = [
  ...new Set(Object.values(DATA_PATHS).flatMap(({ features }) => features)),
];

const BATCH = 'batch+';

/** Every name that `dataPath` takes. */
export function dataPathNames(): string[] {
  const paths = Object.values(DATA_PATHS);
  const batched = paths.filter(({ name, inBatches }) => inBatches === name);
  return [...paths.map(({ name }) => name), ...batched.map(({ name }) => nameOfDataPath(name, 'batch'))];
}

/** The name of a path together with its delivery: `copy`, `batch+copy`. */
export function nameOfDataPath(path: DataPathName, delivery: Delivery): string {
  return delivery === 'batch' ? BATCH + path : path;
}

/** The name of the data path that a device with these features has. */
export function dataPathOfFeatures(features: FeatureSet): string {
  const path = pathWith(PATH_FEATURES.filter((feature) => features.has(feature))) ?? DATA_PATHS.copy;
  return nameOfDataPath(path.name, features.has('BATCH_IO') ? 'batch' : 'per_tag');
}

/** The data path that has exactly these features. */
export function pathWith(features: readonly Feature[]): DataPath | undefined {
  const isIt = (path: DataPath): boolean =>
    path.features.length === features.length && features.every((feature) => path.features.includes(feature));
  return Object.values(DATA_PATHS).find(isIt);
}

/** The reverse of nameOfDataPath; a name that means nothing is refused. */
export function parseDataPathName(name: string): { readonly path: DataPath; readonly delivery: Delivery } {
  const delivery: Delivery = name.startsWith(BATCH) ? 'batch' : 'per_tag';
  const bare = delivery === 'batch' ? name.slice(BATCH.length) : name;
  const path = Object.values(DATA_PATHS).find((known) => known.name === bare);
  if (path === undefined || !dataPathNames().includes(name)) {
    throw usageError(
      [option('dataPath'), ` ${JSON.stringify(name)} is not the name of a data path`],
      `the names are ${dataPathNames().join(', ')}`,
    );
  }
  return { path, delivery };
}
