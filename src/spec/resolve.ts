/**
 * From what was asked for to what the device is. Every decision about a device is made here, once; then the rules of
 * checks/ are applied to the result, whatever words it came from.
 */
import { ublksrv_io_desc } from '../native/uapi/ublk-structs.ts';
import { checkSpec } from './checks/check-spec.ts';
import { chooseDataPath } from './choose-data-path.ts';
import { type DataPath, type Delivery, PATH_FEATURES } from './data-paths.ts';
import type { DeviceSpec } from './device-spec.ts';
import { FeatureSet } from './features.ts';
import type { AddOptions } from './options.ts';
import type { TargetTraits } from './target-traits.ts';

/**
 * What the kernel made of ADD_DEV. It may grant fewer queues than were asked for, as there are never more than CPUs, and
 * it clears features that mean nothing for this device (UNPRIVILEGED_DEV for root).
 */
export interface Granted {
  readonly features: FeatureSet;
  readonly queues: number;
  readonly depth: number;
  readonly maxIoBufBytes: number;
  readonly ioDescSize: number;
}

/**
 * Throws a usage error for what cannot be. `driver` has the features that GET_FEATURES reports, or those of the device
 * where it exists already.
 */
export function resolve(options: AddOptions, target: TargetTraits, driver: FeatureSet, granted?: Granted): DeviceSpec {
  const asked = decide(options, target, driver);
  checkSpec(asked, target, driver);
  return granted === undefined ? asked : asGranted(asked, options.threads, granted);
}

/** The decisions alone, without a check of whether the device can exist. */
export function decide(options: AddOptions, target: Pick<TargetTraits, 'prefers'>, driver: FeatureSet): DeviceSpec {
  const named = FeatureSet.parse(options.features);
  const { path, delivery } = chooseDataPath(options, named, target.prefers, driver);
  const features = withImplied(withPath(named, path, delivery), options, driver);
  const { integrity, buffers, cpus, rotateAutoBuf, noUblkFixedFd, quiet, debugMask } = options;
  return {
    target: options.target,
    files: options.files,
    targetOptions: options.targetOptions,
    features: features.names(),
    dataPath: path.name,
    delivery,
    queues: options.queues,
    depth: options.depth,
    maxIoBufBytes: options.maxIoBufBytes,
    ioDescSize: features.has('IO_DESC_SIZE') ? options.ioDescSize : ublksrv_io_desc.size,
    threads: options.threads === 0 ? options.queues : options.threads,
    perIoTasks: options.perIoTasks,
    cpus,
    sharedMemory: features.has('SHMEM_ZC'),
    buffers,
    rotateAutoBuf,
    noUblkFixedFd,
    integrity,
    quiet,
    debugMask,
  };
}

function withPath(named: FeatureSet, path: DataPath, delivery: Delivery): FeatureSet {
  const features = named.without(...PATH_FEATURES).with(...path.features);
  return delivery === 'batch' ? features.with('BATCH_IO') : features;
}

/** What other options stand for; and a device that can be recovered can be quiesced, where the driver knows how. */
function withImplied(features: FeatureSet, { integrity, ioDescSize }: AddOptions, driver: FeatureSet): FeatureSet {
  let all = features;
  if ((integrity?.metadataSize ?? 0) > 0) all = all.with('INTEGRITY');
  if (ioDescSize !== 0) all = all.with('IO_DESC_SIZE');
  if (all.has('USER_RECOVERY') && driver.has('QUIESCE')) all = all.with('QUIESCE');
  return all;
}

/**
 * A thread without a queue would wait for ever, so that a device that got fewer queues gets fewer threads; where tags or
 * whole queues are shared, more threads than queues make sense.
 */
function asGranted(asked: DeviceSpec, threadsAsked: number, { features, ...counts }: Granted): DeviceSpec {
  const isShared = asked.perIoTasks || asked.delivery === 'batch';
  const threads = threadsAsked !== 0 && isShared ? threadsAsked : Math.min(asked.threads, counts.queues);
  return { ...asked, ...counts, features: asked.features.filter((feature) => features.has(feature)), threads };
}
