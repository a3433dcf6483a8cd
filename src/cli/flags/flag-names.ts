/**
 * The flags that a person types for the options that a message may name (spec/option-names.ts). The flag comes first;
 * where it takes a value to be on, as kublk's recovery flags do, the value follows.
 */
import { type OptionNamer, renderText, type UblkError } from '../../errors.ts';
import type { OptionName } from '../../spec/option-names.ts';
import { flagOfTargetOption } from './target-flags.ts';

type NamedOption = Exclude<OptionName, `targetOptions.${string}`>;

/** null where the command line has no flag for the option. */
export const FLAG_NAMES: Readonly<Record<NamedOption, string | null>> = {
  force: '--force',
  grow: '--grow',
  write: '--write',
  target: '--type',
  files: null,
  targetOptions: '--target_option',
  id: '--number',
  queues: '--queues',
  depth: '--depth',
  features: null,
  dataPath: '--data_path',
  threads: '--nthreads',
  cpus: '--cpus',
  perIoTasks: '--per_io_tasks',
  autoZcFallback: '--auto_zc_fallback',
  rotateAutoBuf: '--rotate_auto_buf',
  noUblkFixedFd: '--no_ublk_fixed_fd',
  ioDescSize: '--io_desc_size',
  maxIoBufBytes: '--max_io_buf_bytes',
  buffers: '--htlb',
  share: '--share',
  mlock: '--mlock',
  server: '--server',
  quiet: '--quiet',
  debugMask: '--debug_mask',
  'integrity.metadataSize': '--metadata_size',
  'integrity.capable': '--integrity_capable',
  'integrity.reftag': '--integrity_reftag',
  'integrity.piOffset': '--pi_offset',
  'integrity.csumType': '--csum_type',
  'integrity.tagSize': '--tag_size',
  'features.SUPPORT_ZERO_COPY': '--zero_copy',
  'features.URING_CMD_COMP_IN_TASK': null,
  'features.NEED_GET_DATA': '--get_data',
  'features.USER_RECOVERY': '--recovery 1',
  'features.USER_RECOVERY_REISSUE': '--recovery_reissue 1',
  'features.UNPRIVILEGED_DEV': null,
  'features.CMD_IOCTL_ENCODE': null,
  'features.USER_COPY': '--user_copy',
  'features.ZONED': '--zoned',
  'features.USER_RECOVERY_FAIL_IO': '--recovery_fail_io 1',
  'features.UPDATE_SIZE': null,
  'features.AUTO_BUF_REG': '--auto_zc',
  'features.QUIESCE': null,
  'features.PER_IO_DAEMON': null,
  'features.BUF_REG_OFF_DAEMON': null,
  'features.BATCH_IO': '--batch',
  'features.INTEGRITY': '--metadata_size',
  'features.SAFE_STOP_DEV': null,
  'features.NO_AUTO_PART_SCAN': '--no_auto_part_scan',
  'features.SHMEM_ZC': '--shmem_zc',
  'features.IO_DESC_SIZE': '--io_desc_size',
};

/** `threads` -> `--nthreads`. A target's option without a flag of its own is given with -o; what has no flag keeps its name. */
export const flagName: OptionNamer = (option) => {
  const own = /^targetOptions\.(.+)$/.exec(option)?.[1];
  if (own !== undefined) return flagOfTargetOption(own);
  return (FLAG_NAMES as Readonly<Record<string, string | null>>)[option] ?? option;
};

/** The error's message, as the command line words it. */
export function messageOf(error: UblkError): string {
  return renderText(error.text, flagName);
}
