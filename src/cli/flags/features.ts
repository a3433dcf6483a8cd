/** The flags that ask the driver for a feature, and the names of these features. */
import * as Flags from '@oclif/core/flags';
import type { Feature } from '../../spec/features.ts';
import { onOff, wholeNumber, zeroOrOne } from './values.ts';

const DATA_PATH = { helpGroup: 'DATA PATH' } as const;
const RECOVERY = { helpGroup: 'RECOVERY' } as const;
const DEVICE = { helpGroup: 'DEVICE' } as const;

export const featureFlags = {
  zero_copy: onOff({
    char: 'z',
    summary: 'Zero copy: the server registers the pages of each request with its io_uring.',
    ...DATA_PATH,
  }),
  auto_zc: onOff({ summary: 'Zero copy: the kernel registers the pages of each request by itself.', ...DATA_PATH }),
  user_copy: onOff({
    char: 'u',
    summary: 'The server copies the data itself, with pread and pwrite on /dev/ublkcN.',
    ...DATA_PATH,
  }),
  get_data: onOff({
    char: 'g',
    summary:
      'The data of a write is copied only when the server asks for it. It is slower than the default, and is for tests of this feature of the driver.',
    ...DATA_PATH,
  }),
  batch: onOff({
    char: 'b',
    summary: 'Fetch and commit requests in batches, with one command of the driver for several requests.',
    ...DATA_PATH,
  }),
  shmem_zc: onOff({
    summary: 'Shared-memory zero copy: requests whose data is in a registered buffer are not copied.',
    helpGroup: 'SHARED MEMORY',
  }),
  recovery: zeroOrOne({
    char: 'r',
    summary: 'Keep the device when its server dies: requests under way fail, and new ones wait for `recover`.',
    ...RECOVERY,
  }),
  recovery_reissue: zeroOrOne({
    char: 'i',
    summary: 'As -r, but requests under way are repeated by the next server, so clients see no error. Excludes -e.',
    ...RECOVERY,
  }),
  recovery_fail_io: zeroOrOne({
    char: 'e',
    summary: 'Keep the device when its server dies; all requests fail until `recover`. Excludes -i.',
    ...RECOVERY,
  }),
  no_auto_part_scan: onOff({ summary: 'Do not look for partitions on the new device.', ...DEVICE }),
  zoned: onOff({
    summary: "A flag of kublk's. `add` refuses it, because no target has zones.",
    ...DEVICE,
  }),
  io_desc_size: wholeNumber({ summary: 'Size of a request descriptor in bytes, 24 to 256 (default 24).', ...DEVICE }),
};

export const sharedMemoryFlags = {
  htlb: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'PATH',
    summary: 'Register this hugetlbfs or tmpfs file; may be repeated.',
    helpGroup: 'SHARED MEMORY',
  }),
  rdonly_shmem_buf: onOff({
    summary: 'Register it read-only. Only writes to the device match.',
    helpGroup: 'SHARED MEMORY',
  }),
};

export interface FeatureChoices {
  readonly zero_copy?: boolean | undefined;
  readonly auto_zc?: boolean | undefined;
  readonly user_copy?: boolean | undefined;
  readonly get_data?: boolean | undefined;
  readonly batch?: boolean | undefined;
  readonly shmem_zc?: boolean | undefined;
  readonly recovery?: boolean | undefined;
  readonly recovery_reissue?: boolean | undefined;
  readonly recovery_fail_io?: boolean | undefined;
  readonly no_auto_part_scan?: boolean | undefined;
  readonly zoned?: boolean | undefined;
  readonly io_desc_size?: number | undefined;
  readonly metadata_size?: number | undefined;
}

/** The features that these flags ask for, in bit order. */
export function chosenFeatures(flags: FeatureChoices): Feature[] {
  const recoverable = flags.recovery || flags.recovery_reissue || flags.recovery_fail_io;
  const chosen: [Feature, boolean | undefined][] = [
    ['SUPPORT_ZERO_COPY', flags.zero_copy],
    ['NEED_GET_DATA', flags.get_data],
    ['USER_RECOVERY', recoverable],
    ['USER_RECOVERY_REISSUE', flags.recovery_reissue],
    ['USER_COPY', flags.user_copy],
    ['ZONED', flags.zoned],
    ['USER_RECOVERY_FAIL_IO', flags.recovery_fail_io],
    ['AUTO_BUF_REG', flags.auto_zc],
    ['BATCH_IO', flags.batch],
    ['INTEGRITY', (flags.metadata_size ?? 0) > 0],
    ['NO_AUTO_PART_SCAN', flags.no_auto_part_scan],
    ['SHMEM_ZC', flags.shmem_zc],
    ['IO_DESC_SIZE', flags.io_desc_size !== undefined],
  ];
  return chosen.filter(([, wanted]) => wanted === true).map(([name]) => name);
}
