/**
 * Says what of a request `recover` cannot give a device, because the kernel has fixed it since the device was made.
 * Scripts written for kublk repeat the whole command line of `add`, so only what differs from that is worth a note.
 */
import { DATA_PATHS, dataPathOfFeatures, nameOfDataPath, parseDataPathName } from '../../spec/data-paths.ts';
import type { FeatureSet } from '../../spec/features.ts';
import type { AddOptions } from '../../spec/options.ts';

/** The numbers that the kernel has fixed for the device. */
export type FixedCounts = Pick<AddOptions, 'queues' | 'depth' | 'maxIoBufBytes'>;

export interface MadeDevice {
  readonly features: FeatureSet;
  readonly counts: FixedCounts;
  /** The options that `add` was given; null for a device of another program. */
  readonly options: AddOptions | null;
}

/** One sentence, or null when nothing was asked for that the device does not have. Throws for an unknown data path. */
export function keptNote(asked: Partial<AddOptions>, made: MadeDevice): string | null {
  const kept = [
    ...keptPath(asked, made),
    ...missingFeatures(asked, made),
    ...keptCounts(asked, made),
    ...keptIntegrity(asked, made),
  ];
  return kept.length === 0 ? null : `a device keeps what it was made with: ${kept.join('; ')}`;
}

function keptPath({ dataPath, features = [] }: Partial<AddOptions>, { features: had }: MadeDevice): string[] {
  if (dataPath === undefined || dataPath === null) return [];
  const { path, delivery } = parseDataPathName(dataPath);
  const isBatch = delivery === 'batch' || features.includes('BATCH_IO');
  const wanted = isBatch ? nameOfDataPath(DATA_PATHS[path.inBatches].name, 'batch') : dataPath;
  const actual = dataPathOfFeatures(had);
  return wanted === actual ? [] : [`data path ${actual}, not ${wanted}`];
}

function missingFeatures({ features = [] }: Partial<AddOptions>, { features: had, options }: MadeDevice): string[] {
  const missing = features.filter((feature) => !had.has(feature) && options?.features.includes(feature) !== true);
  return missing.map((feature) => `no UBLK_F_${feature}`);
}

function keptIntegrity({ integrity }: Partial<AddOptions>, { options }: MadeDevice): string[] {
  if (integrity === undefined || options === null) return [];
  return JSON.stringify(integrity) === JSON.stringify(options.integrity) ? [] : ['its integrity metadata'];
}

/** The kernel may have granted less than `add` asked for, so asking for the same again is no contradiction. */
function keptCounts(asked: Partial<AddOptions>, { counts, options }: MadeDevice): string[] {
  if (options === null) return [];
  const names: readonly [keyof FixedCounts, string][] = [
    ['queues', 'queues'],
    ['depth', 'requests per queue'],
    ['maxIoBufBytes', 'bytes for the largest request'],
  ];
  return names.flatMap(([key, words]) => {
    const wanted = asked[key];
    const isSame = wanted === undefined || wanted === counts[key] || wanted === options[key];
    return isSame ? [] : [`${counts[key]} ${words}, not ${wanted}`];
  });
}
