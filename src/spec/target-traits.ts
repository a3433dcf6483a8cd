/** The properties of a target that decide what a device can be. `TargetType` (targets/target.ts) satisfies it. */
import type { Params } from '../control/commands.ts';
import type { DataPathName } from './data-paths.ts';
import type { DeviceSpec } from './device-spec.ts';
import type { IntegrityOptions } from './options.ts';

export interface OneThread {
  /** The end of a sentence about the target. */
  readonly because: string;
  /** What makes more threads possible. */
  readonly otherwise: string;
}

export interface TargetTraits {
  /** The name that `-t` takes. */
  readonly name: string;
  /** Its own options: name to what the option means. */
  readonly options: Readonly<Record<string, string>>;
  readonly files: FileCount;
  /** Data paths that are faster than `copy` here and that no client can tell from it, best first. */
  readonly prefers: readonly DataPathName[];
  /** Why its requests must all be served by one thread, however many queues there are; undefined when they need not. */
  readonly oneThread?: OneThread | undefined;
  /** Whether its own code looks at the data of requests, so that they need an address and must not vanish under it. */
  readonly looksAtData?: boolean;
  /** A device is not recovered with a target that has lost a feature of the device: it would refuse flushes, for one. */
  readonly keepsFeatures?: boolean;
  /** Data paths with registered buffers in which it does not look at the data after all. */
  readonly registeredPaths?: readonly DataPathName[];
  /** Open files that its queues need in all, beyond its backing files, when this many threads serve them. */
  descriptors?(options: Readonly<Record<string, string>>, threads: number): number;
  /**
   * For each option that says where the data is: the options that it takes the place of when a device that had them is
   * recovered with it.
   */
  readonly displaces?: Readonly<Record<string, readonly string[]>>;
  /** Its options as they are recorded, so that they mean the same in every directory. */
  recorded?(options: Readonly<Record<string, string>>): Readonly<Record<string, string>>;
  /**
   * Throws a UblkError for a combination that cannot be served. The message says why, and the hint says what to do. It is
   * called before the kernel is asked for a device, and opens nothing.
   */
  check(request: OpenRequest): void;
}

/** How many backing files a target takes; one more may come with integrity metadata. */
export interface FileCount {
  readonly min: number;
  readonly max: number;
  /** For a target that takes no files, or few: what a user gives instead. It ends the hint of the error. */
  readonly instead?: string;
}

/** A device as its target sees it, before the target opens anything. */
export interface OpenRequest {
  /** The device's id; -1 while it has none. */
  readonly device: number;
  /** Other devices that say the same may use the files too. */
  readonly share: boolean;
  readonly files: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  readonly dataPath: DataPathName;
  readonly batch: boolean;
  readonly queues: number;
  readonly depth: number;
  readonly maxIoBufBytes: number;
  readonly integrity: IntegrityOptions | null;
  /** Another server has served this device before: what is in the files is the client's. */
  readonly recovering: boolean;
  /** Bytes of the device that is to be recovered, which the files must have room for; 0 for a new device. */
  readonly deviceBytes: number;
  /** The parameters of the device that is to be recovered, as the kernel has them; null for a new device. */
  readonly kept: Params | null;
  /** The server is a resident one, and its other devices must not wait for this one's files. */
  readonly resident: boolean;
}

/** `device` is the id, `kept` the parameters that the kernel has of a device that is to be recovered. */
export function openRequest(
  spec: DeviceSpec,
  recovering: boolean,
  device = -1,
  kept: Params | null = null,
): OpenRequest {
  const { share, files, targetOptions, dataPath, delivery, queues, depth, maxIoBufBytes, integrity } = spec;
  return {
    device,
    share,
    files,
    options: targetOptions,
    dataPath,
    batch: delivery === 'batch',
    queues,
    depth,
    maxIoBufBytes,
    integrity,
    recovering,
    deviceBytes: (kept?.basic.dev_sectors ?? 0) * 512,
    kept,
    resident: spec.server !== null,
  };
}
