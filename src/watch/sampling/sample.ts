/** What is read of the devices at one instant, before anyone has compared it with anything. Plain data. */
import type { DeviceState } from '../../device/report.ts';
import type { BlockCounters } from '../../stats/block-layer.ts';
import type { DeviceStats } from '../../stats/reader.ts';

export interface Sample {
  /** Monotonic, milliseconds. */
  readonly atMs: number;
  /** Since 1970, milliseconds. */
  readonly wallMs: number;
  readonly devices: readonly DeviceSample[];
  /** Why the kernel's own record of the devices cannot be had (no driver, no permission), for a person. */
  readonly notice: string | null;
}

export interface SampleWishes {
  /** Only this device. */
  readonly device?: number | undefined;
  /** Which parts of the buffers are hit: the larger half of the reading. */
  readonly heat: boolean;
}

/** Where samples come from: this machine (sampler.ts), or a test. */
export interface SampleSource {
  take(wishes: SampleWishes): Sample;
  close(): void;
}

export interface DeviceSample {
  readonly id: number;
  /** Monotonic, milliseconds: when the counters were read. */
  readonly atMs: number;
  /** The driver's record; null when it may not be asked. */
  readonly kernel: KernelRecord | null;
  /** What our server stored; null: another program's device. */
  readonly own: OwnRecord | null;
  /** What our server counts. */
  readonly stats: DeviceStats | null;
  /** What the block layer counts; null while there is no /dev/ublkbN. */
  readonly block: BlockCounters | null;
  readonly sizeBytes: number;
  /** Another number: another disk, even by the same name. */
  readonly diskSequence: number;
  readonly serverPid: number;
  readonly serverRuns: boolean;
}

export interface KernelRecord {
  readonly state: DeviceState;
  readonly queues: number;
  readonly depth: number;
  /** UBLK_F_* names without the prefix. */
  readonly features: readonly string[];
}

export interface SampledBuffer {
  /** The kernel's. */
  readonly index: number;
  readonly length: number;
  readonly readOnly: boolean;
  readonly source: string;
}

export interface OwnRecord {
  readonly target: string;
  readonly files: readonly string[];
  readonly dataPath: string;
  readonly queues: number;
  readonly depth: number;
  readonly features: readonly string[];
  readonly generation: number;
  readonly buffers: readonly SampledBuffer[];
  /** Why the server ended, when it could say so. */
  readonly ended: string | null;
}
