/** The decisions about a device, without a check of whether the device can exist. */
import { ublksrv_io_desc } from '../native/uapi/ublk-structs.ts';
import { chooseDataPath } from './choose-data-path.ts';
import { type DataPath, type Delivery, PATH_FEATURES } from './data-paths.ts';
import type { DeviceSpec } from './device-spec.ts';
import { FeatureSet } from './features.ts';
import type { AddOptions } from './options.ts';
import type { TargetTraits } from './target-traits.ts';

/** `driver` has the features that there are. An unknown name, and two data paths at once, are refused here. */
export function decide(
  options: AddOptions,
  target: Pick<TargetTraits, 'prefers' | 'oneThread'>,
  driver: FeatureSet,
): DeviceSpec {
  const named = FeatureSet.parse(options.features);
  const { path, delivery } = chooseDataPath(options, named, target.prefers, driver);
  const features = withImplied(withPath(named, path, delivery), options, driver);
  const { share, integrity, buffers, cpus, rotateAutoBuf, noUblkFixedFd, mlock, server, quiet, debugMask } = options;
  const layout =
    options.threads <= 1 && target.oneThread !== undefined ? oneThread(options, delivery, driver) : options;
  return {
    target: options.target,
    files: options.files,
    targetOptions: options.targetOptions,
    share,
    features: features.names(),
    dataPath: path.name,
    delivery,
    queues: layout.queues,
    depth: options.depth,
    maxIoBufBytes: options.maxIoBufBytes,
    ioDescSize: features.has('IO_DESC_SIZE') ? options.ioDescSize : ublksrv_io_desc.size,
    threads: layout.threads === 0 ? layout.queues : layout.threads,
    perIoTasks: layout.perIoTasks,
    cpus,
    sharedMemory: features.has('SHMEM_ZC'),
    buffers,
    rotateAutoBuf,
    noUblkFixedFd,
    integrity,
    mlock,
    server,
    quiet,
    debugMask,
  };
}

type ThreadOptions = Pick<AddOptions, 'queues' | 'threads' | 'perIoTasks'>;

/** One thread serves several queues by taking their tags one by one, where the driver can do that, or in batches. */
function oneThread({ queues, perIoTasks }: ThreadOptions, delivery: Delivery, driver: FeatureSet): ThreadOptions {
  if (delivery === 'batch' || queues === 1) return { queues, threads: 1, perIoTasks };
  return driver.has('PER_IO_DAEMON') ? { queues, threads: 1, perIoTasks: true } : { queues: 1, threads: 1, perIoTasks };
}

function withPath(named: FeatureSet, path: DataPath, delivery: Delivery): FeatureSet {
  const features = named.without(...PATH_FEATURES).with(...path.features);
  return delivery === 'batch' ? features.with('BATCH_IO') : features;
}

/**
 * Adds the features that other options stand for. A device that can be recovered can be quiesced, where the driver
 * knows how.
 */
function withImplied(features: FeatureSet, { integrity, ioDescSize }: AddOptions, driver: FeatureSet): FeatureSet {
  let all = features;
  if ((integrity?.metadataSize ?? 0) > 0) all = all.with('INTEGRITY');
  if (ioDescSize !== 0) all = all.with('IO_DESC_SIZE');
  if (all.has('USER_RECOVERY') && driver.has('QUIESCE')) all = all.with('QUIESCE');
  return all;
}
