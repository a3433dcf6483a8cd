/** A metric family of Prometheus: samples that share a name, a type and a meaning. */
import type { BlockCounters } from '../../stats/block-layer.ts';
import type { DeviceStats } from '../../stats/reader.ts';

export interface ExposedDevice {
  readonly id: number;
  readonly state: string;
  /** null for a device that is not known to be ours. */
  readonly target: string | null;
  readonly dataPath: string | null;
  /** The name of the resident server; null for a device with a process of its own. */
  readonly resident: string | null;
  readonly queues: number;
  readonly depth: number;
  readonly sizeBytes: number;
  readonly serverRuns: boolean;
  readonly stats: DeviceStats | null;
  readonly block: BlockCounters | null;
  readonly buffers: readonly { readonly index: number; readonly length: number; readonly readOnly: boolean }[];
}

export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: readonly FamilySample[];
}

export interface FamilySample {
  /** The ending of a histogram's name. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The labels that every sample of a device has. */
export function labelsOf({ id }: Pick<ExposedDevice, 'id'>): Record<string, string> {
  return { device: `ublkb${id}` };
}
