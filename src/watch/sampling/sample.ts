/** A sample: the readings of all devices at one instant, before they are compared with anything. Plain data. */
import type { DeviceState } from '../../device/report/report.ts';
import type { Ending } from '../../record/device-record.ts';
import type { BlockCounters } from '../../stats/block-layer.ts';
import type { DeviceStats } from '../../stats/reader.ts';
import type { ProcessState } from '../../record/process-state.ts';

export interface Sample {
  /** Monotonic clock, milliseconds. */
  readonly atMs: number;
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  readonly devices: readonly DeviceSample[];
  /** Why the driver could not be asked about a device (no driver, no permission, no answer), in words. */
  readonly notice: string | null;
}

export interface SampleWishes {
  /** Reads only this device. */
  readonly device?: number | undefined;
  /** Whether to read which parts of the buffers are hit, which is most of the bytes of a stats page. */
  readonly heat: boolean;
}

/** Where samples come from: this machine (sampler.ts), or a test. */
export interface SampleSource {
  take(wishes: SampleWishes): Promise<Sample>;
  close(): void;
}

export interface DeviceSample {
  readonly id: number;
  /** Monotonic clock, milliseconds: when the counters were read. */
  readonly atMs: number;
  /** As the driver says; inferred where it was not asked or did not answer. */
  readonly state: DeviceState;
  /** The report of the driver; null when it was not asked or did not answer. */
  readonly kernel: KernelRecord | null;
  /** The record that our server stored; null for a device that another program serves, and where only root may read it. */
  readonly own: OwnRecord | null;
  /** The counters of our server. */
  readonly stats: DeviceStats | null;
  /** The counters of the block layer; null while there is no /dev/ublkbN. */
  readonly block: BlockCounters | null;
  readonly sizeBytes: number;
  /** Changes whenever the kernel makes a new disk, even one with the same name. */
  readonly diskSequence: number;
  /** The server's main thread; 0 or less when there is none, and where neither the driver nor a record says which it is. */
  readonly serverPid: number;
  readonly server: ProcessState;
  /** The device was deleted, and stays until the last process that holds it lets go. */
  readonly going: boolean;
  /** Who holds a device that is going, in words that follow "it is still"; null when nobody was found. */
  readonly heldBy: string | null;
}

export interface KernelRecord {
  readonly queues: number;
  readonly depth: number;
  readonly sharedMemory: boolean;
}

export interface SampledBuffer {
  /** The kernel's index of the buffer. */
  readonly index: number;
  readonly length: number;
  readonly readOnly: boolean;
  readonly source: string;
}

export interface OwnRecord {
  readonly target: string;
  readonly files: readonly string[];
  /** What names its storage: the files, or the URI or the program of an NBD server. */
  readonly sources: readonly string[];
  readonly dataPath: string;
  /** Whether io_uring uses the request's own pages. */
  readonly registers: boolean;
  readonly queues: number;
  readonly depth: number;
  readonly sharedMemory: boolean;
  readonly generation: number;
  /** The name of the resident server that the device was given to; null where it has a process of its own. */
  readonly resident: string | null;
  readonly buffers: readonly SampledBuffer[];
  /** How the server ended, when it could still write that down. */
  readonly ended: Ending | null;
}
