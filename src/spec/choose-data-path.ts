/**
 * Which data path a device gets. It may be named (`dataPath`), or follow from features as kublk's flags ask for them. If
 * nothing says how data travels, it is the path that measures fastest for the target (docs/performance.md) among those
 * that change nothing a client can see.
 */
import { joinTexts, type Text, type UblkError, usageError } from '../errors.ts';
import {
  DATA_PATHS,
  type DataPath,
  type DataPathName,
  type Delivery,
  parseDataPathName,
  PATH_FEATURES,
  pathWith,
} from './data-paths.ts';
import type { Feature, FeatureSet } from './features.ts';
import { option } from './option-names.ts';
import type { AddOptions } from './options.ts';

/**
 * Features that decide without being a path: with one of them a device copies, unless a path is asked for. With shared
 * memory, what does not match is to be copied, and counted so.
 */
const DECIDING: readonly Feature[] = ['BATCH_IO', 'SHMEM_ZC', 'ZONED', 'INTEGRITY', 'UNPRIVILEGED_DEV'];

export interface ChosenPath {
  readonly path: DataPath;
  readonly delivery: Delivery;
}

type PathOptions = Pick<AddOptions, 'dataPath' | 'autoZcFallback' | 'perIoTasks' | 'integrity'>;

/** `named`: the features that were asked for; `driver`: those that there are. */
export function chooseDataPath(
  options: PathOptions,
  named: FeatureSet,
  prefers: readonly DataPathName[],
  driver: FeatureSet,
): ChosenPath {
  const { path, delivery } = choose(options, named, prefers, driver);
  return { path: delivery === 'batch' ? DATA_PATHS[path.inBatches] : path, delivery };
}

function choose(
  options: PathOptions,
  named: FeatureSet,
  prefers: readonly DataPathName[],
  driver: FeatureSet,
): ChosenPath {
  const modes = PATH_FEATURES.filter((mode) => named.has(mode));
  const delivery: Delivery = named.has('BATCH_IO') ? 'batch' : 'per_tag';
  if (options.dataPath !== null) {
    const chosen = parseDataPathName(options.dataPath);
    requireNoOther(options, chosen.path, modes);
    return { path: chosen.path, delivery: chosen.delivery === 'batch' ? 'batch' : delivery };
  }
  if (options.autoZcFallback) return { path: fallbackPath(modes), delivery };
  if (modes.length > 1) throw differentWays(modes.map((mode) => [option(`features.${mode}`)]));
  if (modes.length === 1) return { path: pathWith(modes) ?? DATA_PATHS.copy, delivery };
  const isDecided = options.perIoTasks || options.integrity !== null || DECIDING.some((feature) => named.has(feature));
  return { path: isDecided ? DATA_PATHS.copy : fastestPath(prefers, driver), delivery };
}

function fastestPath(prefers: readonly DataPathName[], driver: FeatureSet): DataPath {
  const name = prefers.find((path) => driver.hasAll(DATA_PATHS[path].features));
  return DATA_PATHS[name ?? 'copy'];
}

/** kublk's way to ask for it: both features, and the word. */
function fallbackPath(modes: readonly Feature[]): DataPath {
  const path = DATA_PATHS.auto_zc_fallback;
  const [zeroCopy, auto] = [option('features.SUPPORT_ZERO_COPY'), option('features.AUTO_BUF_REG')];
  if (!path.features.every((feature) => modes.includes(feature))) {
    throw usageError(
      [option('autoZcFallback'), ' requires ', auto, ' and ', zeroCopy],
      ['add ', auto, ' and ', zeroCopy],
    );
  }
  const others = modes.filter((mode) => !path.features.includes(mode));
  if (others.length > 0) {
    throw differentWays([...others.map((mode) => [option(`features.${mode}`)]), [option('autoZcFallback')]]);
  }
  return path;
}

function requireNoOther(options: PathOptions, path: DataPath, modes: readonly Feature[]): void {
  const others = modes.filter((mode) => !path.features.includes(mode)).map((mode) => option(`features.${mode}`));
  if (options.autoZcFallback && path !== DATA_PATHS.auto_zc_fallback) others.push(option('autoZcFallback'));
  if (others.length > 0)
    throw differentWays([[option('dataPath'), ` ${options.dataPath}`], ...others.map((name) => [name])]);
}

function differentWays(ways: readonly Text[]): UblkError {
  const list = ways.flatMap((way, index) => {
    const before = index === ways.length - 1 ? ' and ' : ', ';
    return joinTexts(index === 0 ? '' : before, way);
  });
  return usageError([...list, ' are different ways to move the data'], 'choose one of them');
}
