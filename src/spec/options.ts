/**
 * The options of a new device: what the library and the command line can ask for. They are plain data; `resolve` makes
 * a DeviceSpec of them.
 */
import type { Feature } from './features.ts';

/** The most hardware queues of a device. */
export const MAX_QUEUES = 32;
/** The most requests per queue: UBLK_MAX_QUEUE_DEPTH. */
export const MAX_DEPTH = 4096;
/** The most threads that serve a device, and the most shared threads of a resident server. */
export const MAX_THREADS = 32;

/** The integrity metadata of a device, as the kernel's struct ublk_param_integrity has it. It requires the feature USER_COPY. */
export interface IntegrityOptions {
  /** Bytes of metadata for each logical block, 1 to 255. */
  readonly metadataSize: number;
  /** Whether the kernel is told that the device can verify integrity itself. */
  readonly capable: boolean;
  /** Whether the kernel checks reference tags, which requires a checksum. */
  readonly reftag: boolean;
  /** Where in the metadata the protection tuple begins, in bytes, 0 to 255. */
  readonly piOffset: number;
  /** The checksum in the protection tuple. */
  readonly csumType: 'none' | 'ip' | 't10dif' | 'nvme';
  /** Bytes of the application tag in the metadata, 0 to 255. */
  readonly tagSize: number;
}

export interface SharedBufferOptions {
  /** The absolute path of a hugetlbfs, tmpfs or memfd file that the client maps too. */
  readonly path: string;
  /** Whether the server maps the file read-only. Only writes to the device match then. */
  readonly readOnly: boolean;
}

export interface AddOptions {
  /** The name of a built-in target, the path of a target's file (with a slash, or ending as .ts or .js), or the name of a package. */
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
  /**
   * `copy`, `get_data`, `user_copy`, `zero_copy`, `auto_zc` or `auto_zc_fallback`; with `batch+` before it, in batches, which
   * `get_data` has not. null chooses the fastest for the target, unless `features` say how data travels.
   */
  readonly dataPath: string | null;
  /** Server threads, up to 32; 0 means one per queue. */
  readonly threads: number;
  /** CPUs that queue threads may run on; empty means those that submit to their queue. */
  readonly cpus: readonly number[];
  /** Whether the requests of every queue are spread over all threads, instead of one queue per thread. */
  readonly perIoTasks: boolean;
  /** Whether the server registers the pages where automatic registration fails; with the features AUTO_BUF_REG and SUPPORT_ZERO_COPY. */
  readonly autoZcFallback: boolean;
  /** Whether each request has another buffer index; with the features AUTO_BUF_REG and BATCH_IO. */
  readonly rotateAutoBuf: boolean;
  /** Whether /dev/ublkcN is left out of the registered files of the rings. It is slower, and is for tests. */
  readonly noUblkFixedFd: boolean;
  /** Bytes of one ublksrv_io_desc, which turns IO_DESC_SIZE on; 0 means the kernel's 24. */
  readonly ioDescSize: number;
  /** Bytes of the largest request. The default is 1 MiB. */
  readonly maxIoBufBytes: number;
  /** null: the device has no integrity metadata. */
  readonly integrity: IntegrityOptions | null;
  /** Shared buffers that are registered before the device goes live. */
  readonly buffers: readonly SharedBufferOptions[];
  /** Whether all I/O buffers get their memory before the device is live; what the server has used is locked anyway. */
  readonly mlock: boolean;
  /** The name of the resident server that is to serve the device; null starts a process of its own. */
  readonly server: string | null;
  /** Whether the server logs nothing. */
  readonly quiet: boolean;
  /** The sum of what the server writes to its log: 1 the device, 2 its threads, 4 or 8 every request. */
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
