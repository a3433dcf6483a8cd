/** The report of a device, as the library returns it and `list --json` prints it: snake_case, sizes in bytes. */
import type { ProcessState } from '../../record/process-state.ts';
import { describeFeature, type Feature } from '../../spec/features.ts';
import type { ConnectionState, StatOp } from '../../stats/layout.ts';
import type { Holder } from '../../block/holder.ts';

/** How many requests were counted since the server started, and their bytes. */
export interface TallyReport {
  requests: number;
  bytes: number;
}

/** Shared memory that is registered with the device. */
export interface BufferReport {
  /** The kernel's index. */
  index: number;
  /** Its length in bytes. */
  len: number;
  /** Whether only writes to the device match it. */
  read_only: boolean;
  /** The path of its file or, for memory without one, words that say whose it is. */
  source: string;
  /** The requests whose data lay in it. */
  matched: TallyReport;
}

/** A hardware queue. */
export interface QueueReport {
  /** 0 to nr_hw_queues - 1. */
  id: number;
  /** The CPUs that submit to the queue. */
  affinity: number[];
  /** Ids of the server's threads that serve the queue; empty when its server does not run, or is another program's. */
  tids: number[];
  /** Requests in the server's hands now. */
  in_flight: number;
}

/** The requests with data that the server has counted since it started, by the way that the data travelled. */
export interface IoReport {
  /** The data lay in a registered buffer and was used in place. */
  matched: TallyReport;
  /** The pages of the request itself were registered: zero copy. */
  registered: TallyReport;
  copied: TallyReport;
  /** Requests that the server has failed, those without data among them. */
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

/** Requests that have waited in the target for more than 30 s, described by the one that has waited longest. */
export interface StuckReport {
  requests: number;
  op: StatOp;
  /** Where on the device it begins, in bytes. */
  offset: number;
  /** When it arrived (ISO 8601). */
  since: string;
}

/** A device that was deleted while somebody holds it. */
export interface DeletingReport {
  /** When it was deleted (ISO 8601). */
  since: string;
  /** Who keeps it from being gone. */
  holders: (Holder & { readonly text: string })[];
}

/**
 * The driver's state of a device. LIVE: a server answers requests. QUIESCED: there is no server, and requests wait. FAIL_IO:
 * there is no server, and requests fail. DEAD: there is no block device; it was stopped, or its server is gone for good.
 */
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
  /** 0 while it is not known: the block device is being made or taken away. */
  size_bytes: number;
  /** Bytes of the smallest request. */
  logical_block_size: number;
  nr_hw_queues: number;
  /** Requests per queue. */
  queue_depth: number;
  /** Bytes of the largest request. */
  max_io_buf_bytes: number;
  /** The process id of the server, as the driver says; 0 or less when it has none, or one that this pid namespace cannot see. */
  ublksrv_pid: number;
  /** The name of the resident server that serves it; null where it has a process of its own, or another program's. */
  server: string | null;
  /** The state of the server's process in /proc; null when the device has no server that can be seen from here. */
  server_state: ProcessState | null;
  /** UBLK_F_* bits, 64 of them, in hexadecimal with 0x. */
  flags: string;
  /** The names of these bits, `UBLK_F_...`; `bit N` for one that is newer than this program. */
  flag_names: string[];
  /** Bytes of a request descriptor. */
  io_desc_size: number;
  /** How data travels when it does not match a registered buffer (`copy`, `auto_zc` ...); null for another's device. */
  data_path: string | null;
  queues: QueueReport[];
  /** null when another program serves the device. */
  buffers: BufferReport[] | null;
  /** null when another program serves the device. */
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
