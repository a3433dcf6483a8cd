/**
 * What can be asked of a new device: the library's and the command line's shared vocabulary. Plain data, so that the
 * same object travels to the server process, is stored for `recover`, and comes back from there.
 */

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
  /** A hugetlbfs, tmpfs or memfd path that the client maps too. */
  readonly path: string;
  readonly readOnly: boolean;
}

export interface AddOptions {
  /** Target type, by its name in the registry. */
  readonly target: string;
  /** Backing files, absolute paths. */
  readonly files: readonly string[];
  /** The target's own options as they were written (`chunk_size` -> `65536`). */
  readonly targetOptions: Readonly<Record<string, string>>;
  /** -1: the kernel picks. */
  readonly id: number;
  readonly queues: number;
  readonly depth: number;
  /** Names of the UBLK_F_* flags asked for, without the prefix (`SHMEM_ZC`, `USER_COPY`). */
  readonly features: readonly string[];
  /** A name of spec/choose-path.ts; null: what measures fastest, unless `features` say. */
  readonly dataPath: string | null;
  /** 0: one thread a queue. */
  readonly threads: number;
  /** CPUs that queue threads may run on; empty: any that submit to their queue. */
  readonly cpus: readonly number[];
  readonly perIoTasks: boolean;
  readonly autoZcFallback: boolean;
  readonly rotateAutoBuf: boolean;
  readonly noUblkFixedFd: boolean;
  /** Bytes of one ublksrv_io_desc with IO_DESC_SIZE; 0: the kernel's 24. */
  readonly ioDescSize: number;
  readonly maxIoBufBytes: number;
  readonly integrity: IntegrityOptions | null;
  /** Registered before the device goes live. */
  readonly buffers: readonly SharedBufferOptions[];
  readonly quiet: boolean;
  readonly debugMask: number;
}

/** What `addDevice` takes: a target, and whatever is not to be as usual. */
export type AddRequest = Pick<AddOptions, 'target'> & Partial<AddOptions>;

export const ADD_DEFAULTS: Omit<AddOptions, 'target'> = {
  files: [],
  targetOptions: {},
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
  quiet: false,
  debugMask: 0,
};
