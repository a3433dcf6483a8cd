/**
 * What a recovery is to make of a device: the device's record says what it was, the caller may change some of it, and the kernel
 * has the last word on what it has fixed.
 */
import type { DevInfo } from '../../control/commands.ts';
import { usageError } from '../../errors.ts';
import type { DeviceRecord } from '../../record/device-record.ts';
import { dataPathOfFeatures } from '../../spec/data-paths.ts';
import { type DeviceSpec, optionsFor } from '../../spec/device-spec.ts';
import { FeatureSet } from '../../spec/features.ts';
import { ADD_DEFAULTS, type AddOptions } from '../../spec/options.ts';
import { resolve } from '../../spec/resolve.ts';
import { findTarget, inspected, targetReference } from '../../targets/find.ts';
import type { TargetType } from '../../targets/target.ts';
import { keptNote } from './kept-options.ts';
import { requireSameNetwork } from './same-network.ts';
import { requireSamePlaces } from './same-places.ts';
import { optionsWith } from './target-options.ts';

export interface Plan {
  /** The target as it was named: a built-in one, or an absolute path. */
  readonly reference: string;
  readonly target: TargetType;
  readonly options: AddOptions;
  readonly spec: DeviceSpec;
  /** What the caller has asked for in vain; null: nothing. */
  readonly kept: string | null;
}

/** `record` is null for a device of another program. Throws a UblkError when the device cannot be what is asked for. */
export async function planRecovery(
  info: DevInfo,
  record: DeviceRecord | null,
  overrides: Partial<AddOptions>,
  signal: AbortSignal | undefined,
): Promise<Plan> {
  const features = FeatureSet.fromFlags(info.flags);
  const reference = await recoveredTarget(info.dev_id, record, overrides);
  const asked = await findTarget(reference);
  const found = optionsOf(info, record, overrides, asked);
  const kept = keptNote(overrides, {
    features,
    counts: { queues: info.nr_hw_queues, depth: info.queue_depth, maxIoBufBytes: info.max_io_buf_bytes },
    options: record?.options ?? null,
  });
  if (record !== null) {
    requireSameNetwork(record, found, overrides);
    await requireSamePlaces(record, found, overrides);
  }
  const recorded = asked.recorded?.(found.targetOptions) ?? found.targetOptions;
  const target = await inspected(asked, recorded, true, signal);
  const targetOptions = target.recorded?.(found.targetOptions) ?? found.targetOptions;
  const options = { ...found, targetOptions };
  return { reference, target, options, spec: resolve(options, target, features), kept };
}

/** Returns the target that the new server is to serve: the one that the caller names, or else that of the record. */
async function recoveredTarget(
  id: number,
  record: DeviceRecord | null,
  { target: named }: Partial<AddOptions>,
): Promise<string> {
  if (named !== undefined) return targetReference(named);
  if (record !== null) return record.spec.target;
  throw usageError(
    `device ${id} was made by another program: nothing is stored of what it serves`,
    'name its target and files as it was made: -t TARGET [FILES...]',
  );
}

/** The device as it was, with what the caller names; what the kernel has fixed for this device stays. */
function optionsOf(
  info: DevInfo,
  record: DeviceRecord | null,
  overrides: Partial<AddOptions>,
  target: TargetType,
): AddOptions {
  const id = info.dev_id;
  const before = record === null ? optionsOfForeign(info) : optionsFor(record.spec, id);
  const { targetOptions: named = {} } = overrides;
  const had = record?.spec.target === target.name ? record.spec.targetOptions : {};
  return {
    ...before,
    ...overrides,
    target: target.name,
    targetOptions: optionsWith(had, named, target),
    files: (overrides.files ?? []).length > 0 ? (overrides.files ?? []) : before.files,
    // Those of the first server are in the record, and still registered.
    buffers: overrides.buffers ?? [],
    id,
    queues: info.nr_hw_queues,
    depth: info.queue_depth,
    maxIoBufBytes: info.max_io_buf_bytes,
    features: before.features,
    dataPath: before.dataPath,
    integrity: record === null ? (overrides.integrity ?? null) : before.integrity,
    autoZcFallback: false,
    ioDescSize: before.features.includes('IO_DESC_SIZE') ? info.io_desc_size : 0,
  };
}

/** The options of a device that another program has made, as far as the kernel knows them. */
function optionsOfForeign(info: DevInfo): Omit<AddOptions, 'target'> {
  const features = FeatureSet.fromFlags(info.flags);
  return { ...ADD_DEFAULTS, features: features.names(), dataPath: dataPathOfFeatures(features) };
}
