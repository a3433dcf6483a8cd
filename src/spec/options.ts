/**
 * The options of a new device: what the library and the command line can ask for. They are plain data; `resolve` makes
 * a DeviceSpec of them.
 */
import type { Feature } from './features.ts';

export const MAX_QUEUES = 32;
export const MAX_DEPTH = 4096; // UBLK_MAX_QUEUE_DEPTH
export const MAX_THREADS = 32;

export interface IntegrityOptions {
  /** Bytes of metadata for each logical block. */
  readonly metadataSize: number;
  readonly capable: boolean;
  readonly reftag: boolean;
  readonly piOffset: number;
  readonly csumType: 'none' | 'ip' | 't10dif' | 'nvme';
  readonly tagSize: number;
}

export interface SharedBufferOptions {
  /** The path of a hugetlbfs, tmpfs or memfd file that the client maps too. */
  readonly path: string;
  readonly readOnly: boolean;
}

export interface AddOptions {
  /** The target's name in the registry. */
  readonly target: string;
  /** Backing files, absolute paths. */
  readonly files: readonly string[];
  /** The target's own options as they were written (`chunk_size` -> `65536`). */
  readonly targetOptions: Readonly<Record<string, string>>;
  /** Other devices that say the same may use the backing files too; only their clients keep the data right then. */
  readonly share: boolean;
  /** The id of the device; -1 lets the kernel choose. */
  readonly id: number;
  /** Hardware queues, 1 to 32. The default is 2. */
  readonly queues: number;
  /** Requests per queue, 1 to 4096. The default is 128. */
  readonly depth: number;
  /** UBLK_F_* features by name, without the prefix. */
  readonly features: readonly Feature[];
  /** A name of `dataPathNames()`; null chooses the fastest for the target, unless `features` say how data travels. */
  readonly dataPath: string | null;
  /** Server threads; 0 means one per queue. */
  readonly threads: number;
  /** CPUs that queue threads may run on; empty means those that submit to their queue. */
  readonly cpus: readonly number[];
  readonly perIoTasks: boolean;
  readonly autoZcFallback: boolean;
  readonly rotateAutoBuf: boolean;
  readonly noUblkFixedFd: boolean;
  /** Bytes of one ublksrv_io_desc, which turns IO_DESC_SIZE on; 0 means the kernel's 24. */
  readonly ioDescSize: number;
  /** Bytes of the largest request. */
  readonly maxIoBufBytes: number;
  readonly integrity: IntegrityOptions | null;
  /** Shared buffers that are registered before the device goes live. */
  readonly buffers: readonly SharedBufferOptions[];
  /** Whether all I/O buffers get their memory before the device is live; what the server has used is locked anyway. */
  readonly mlock: boolean;
  /** The name of the resident server that is to serve the device; null starts a process of its own. */
  readonly server: string | null;
  readonly quiet: boolean;
  readonly debugMask: number;
}

/** The argument of `addDevice`: a target, and every option that is not to have its default. */
export type AddRequest = Pick<AddOptions, 'target'> & Partial<AddOptions>;

/** The values of the options that are left out or undefined. */
export const ADD_DEFAULTS: Omit<AddOptions, 'target'> = {
  files: [],
  targetOptions: {},
  share: false,
  id: -1,
  queues: 2,
  depth: 128,
  features: [],
  dataPath: null,
  threads: 0,
  cpus: [],
  perIoTasks: false,
  autoZcFallback: false,
  rotateAutoBuf: false,
  noUblkFixedFd: false,
  ioDescSize: 0,
  maxIoBufBytes: 1 << 20,
  integrity: null,
  buffers: [],
  mlock: false,
  server: null,
  quiet: false,
  debugMask: 0,
};
