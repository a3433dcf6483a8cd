/**
 * The description of one device, in which everything is decided: what `resolve` makes of the options that were asked
 * for. `add`, `recover`, the record, the server and `list` read this object and decide nothing again. It is plain data
 * that survives JSON.
 */
import { DATA_PATHS, type DataPath, type DataPathName, type Delivery, nameOfDataPath } from './data-paths.ts';
import { type Feature, FeatureSet } from './features.ts';
import type { AddOptions, IntegrityOptions, SharedBufferOptions } from './options.ts';

export interface DeviceSpec {
  /** The name of a built-in target, or the absolute path of a target's file. */
  readonly target: string;
  /** Backing files, absolute paths. */
  readonly files: readonly string[];
  readonly targetOptions: Readonly<Record<string, string>>;
  /** Other devices that say the same may use the backing files too. */
  readonly share: boolean;
  /**
   * The features that the driver is asked for, in bit order; those of the data path and the delivery are among them.
   */
  readonly features: readonly Feature[];
  readonly dataPath: DataPathName;
  readonly delivery: Delivery;
  readonly queues: number;
  /** Requests per queue. */
  readonly depth: number;
  /** Bytes of the largest request. */
  readonly maxIoBufBytes: number;
  /** Bytes of one ublksrv_io_desc. */
  readonly ioDescSize: number;
  readonly threads: number;
  /** Whether the tags of all queues are spread over the threads, instead of one queue per thread. */
  readonly perIoTasks: boolean;
  /** CPUs that queue threads may run on; empty means those that submit to their queue. */
  readonly cpus: readonly number[];
  readonly sharedMemory: boolean;
  /** Shared buffers that are registered when the device starts. */
  readonly buffers: readonly SharedBufferOptions[];
  readonly rotateAutoBuf: boolean;
  readonly noUblkFixedFd: boolean;
  readonly integrity: IntegrityOptions | null;
  /** Whether all I/O buffers get their memory before the device is live. */
  readonly mlock: boolean;
  /** The name of the resident server that serves the device; null: its server is a process of its own. */
  readonly server: string | null;
  readonly quiet: boolean;
  readonly debugMask: number;
}

export function featuresOf(spec: DeviceSpec): FeatureSet {
  return FeatureSet.of(...spec.features);
}

/** The data path as users call it: `copy`, `batch+auto_zc`. */
export function dataPathNameOf(spec: DeviceSpec): string {
  return nameOfDataPath(spec.dataPath, spec.delivery);
}

export function dataPathOf(spec: DeviceSpec): DataPath {
  return DATA_PATHS[spec.dataPath];
}

/** Options that ask for exactly this device: `recover` starts from them. */
export function optionsFor(spec: DeviceSpec, id: number): AddOptions {
  const { delivery: _delivery, sharedMemory: _sharedMemory, ...same } = spec;
  return {
    ...same,
    id,
    dataPath: dataPathNameOf(spec),
    autoZcFallback: false,
    ioDescSize: featuresOf(spec).has('IO_DESC_SIZE') ? spec.ioDescSize : 0,
  };
}
