/** The report of a device, as the library returns it and `list --json` prints it: snake_case, sizes in bytes. */
import type { ProcessState } from '../../record/process-state.ts';
import { describeFeature, type Feature } from '../../spec/features.ts';
import type { ConnectionState, StatOp } from '../../stats/layout.ts';
import type { Holder } from '../../block/holder.ts';

export interface TallyReport {
  requests: number;
  bytes: number;
}

export interface BufferReport {
  /** The kernel's index. */
  index: number;
  len: number;
  read_only: boolean;
  source: string;
  matched: TallyReport;
}

export interface QueueReport {
  id: number;
  affinity: number[];
  /** Ids of the server's threads that serve the queue; empty when its server does not run, or is another program's. */
  tids: number[];
  /** Requests in the server's hands now. */
  in_flight: number;
}

export interface IoReport {
  matched: TallyReport;
  registered: TallyReport;
  copied: TallyReport;
  errors: number;
  /** Requests that have waited in the target for more than 30 s; null when there are none. */
  stuck: StuckReport | null;
}

/** A connection of the target to its server; there is one per queue thread. */
export interface ConnectionReport {
  thread: number;
  /** `waiting`: lost, and requests wait until it is back. `failing`: lost, and requests fail until it is back. */
  state: ConnectionState;
  /** When it came into that state (ISO 8601). */
  since: string;
  /** How often it was made again. */
  reconnects: number;
  /** Requests that were sent and have no reply yet. */
  in_flight: number;
  /** Bytes that went over it and the connections before it, headers included. */
  sent_bytes: number;
  received_bytes: number;
}

export interface StuckReport {
  requests: number;
  /** The operation of the request that has waited longest, its offset in bytes, and when it arrived (ISO 8601). */
  op: StatOp;
  offset: number;
  since: string;
}

export interface DeletingReport {
  /** ISO 8601. */
  since: string;
  /** Who keeps it from being gone. */
  holders: (Holder & { readonly text: string })[];
}

export type DeviceState = 'DEAD' | 'LIVE' | 'QUIESCED' | 'FAIL_IO';

/** The properties and counters of a device at the time of the call. `list --json` prints the same. */
export interface DeviceReport {
  id: number;
  /**
   * `sysfs`: the driver could not be asked, because this process may have no io_uring. The report is then what sysfs and the
   * device record show, and the state is inferred from them.
   */
  seen_from: 'driver' | 'sysfs';
  /** The block device. */
  path: string;
  state: DeviceState;
  /** null when another program serves the device. */
  target: { type: string; files: string[]; options: Record<string, string> } | null;
  size_bytes: number;
  logical_block_size: number;
  nr_hw_queues: number;
  queue_depth: number;
  max_io_buf_bytes: number;
  ublksrv_pid: number;
  /** The name of the resident server that serves it; null where it has a process of its own, or another program's. */
  server: string | null;
  /** The state of the server's process in /proc; null when the device has no server that can be seen from here. */
  server_state: ProcessState | null;
  /** Hex: 64 bits. */
  flags: string;
  flag_names: string[];
  io_desc_size: number;
  /** How data travels when it does not match a registered buffer (`copy`, `auto_zc` ...); null for another's device. */
  data_path: string | null;
  queues: QueueReport[];
  /** null when another program serves the device. */
  buffers: BufferReport[] | null;
  io: IoReport | null;
  /** null when the target has no connections. */
  connections: ConnectionReport[] | null;
  /** The device has been deleted, but is not gone while someone holds it. null for all others. */
  deleting: DeletingReport | null;
  /** Says what is wrong with the device, in a sentence without its full stop; null when nothing is wrong. */
  last_error: string | null;
}

/** A device that was just added or recovered. */
export interface StartedDevice extends DeviceReport {
  /** Sentences about what one might not expect, for instance a backing file that is read through the page cache. */
  notes: string[];
}

/** The part of a report that the driver and sysfs tell, and that kublk's text is made of. */
export interface KernelReport
  extends Pick<
    DeviceReport,
    | 'id'
    | 'state'
    | 'size_bytes'
    | 'logical_block_size'
    | 'nr_hw_queues'
    | 'queue_depth'
    | 'max_io_buf_bytes'
    | 'ublksrv_pid'
    | 'flags'
    | 'io_desc_size'
  > {
  queues: Pick<QueueReport, 'id' | 'affinity'>[];
}

export function hasFeature({ flag_names }: DeviceReport, feature: Feature): boolean {
  return flag_names.includes(describeFeature(feature).name);
}
