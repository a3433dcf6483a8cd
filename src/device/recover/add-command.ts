/**
 * The command line of `add` that asks for given options, for a hint that can be typed. Only what differs from the
 * defaults is named.
 */
import type { Feature } from '../../spec/features.ts';
import { ADD_DEFAULTS, type AddOptions, type IntegrityOptions } from '../../spec/options.ts';
import { joinWords } from '../../text/shell-words.ts';

/** `ublkts add -t loop -i 1 /srv/disk.img`, quoted for a shell. */
export function addCommand(options: AddOptions): string {
  return joinWords(['ublkts', 'add', ...addWords(options)]);
}

/** The words behind `add`. */
export function addWords(options: AddOptions): string[] {
  const { integrity, buffers } = options;
  return [
    '-t',
    options.target,
    ...(options.id >= 0 ? ['-n', String(options.id)] : []),
    ...changedNumber('-q', options.queues, ADD_DEFAULTS.queues),
    ...changedNumber('-d', options.depth, ADD_DEFAULTS.depth),
    ...options.features.flatMap((feature) => featureWords(feature, options.features)),
    ...(options.dataPath === null ? [] : ['--data_path', options.dataPath]),
    ...changedNumber('--nthreads', options.threads, ADD_DEFAULTS.threads),
    ...(options.cpus.length > 0 ? ['--cpus', options.cpus.join(',')] : []),
    ...changedNumber('--max_io_buf_bytes', options.maxIoBufBytes, ADD_DEFAULTS.maxIoBufBytes),
    ...changedNumber('--io_desc_size', options.ioDescSize, ADD_DEFAULTS.ioDescSize),
    ...SWITCHES.flatMap(([name, flag]) => (options[name] ? [flag] : [])),
    ...(integrity === null ? [] : integrityWords(integrity)),
    ...(options.server === null ? [] : [`--server=${options.server}`]),
    ...(options.debugMask === 0 ? [] : ['--debug_mask', `0x${options.debugMask.toString(16)}`]),
    ...Object.entries(options.targetOptions).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...buffers.flatMap(({ path }) => ['--htlb', path]),
    ...(buffers.some(({ readOnly }) => readOnly) ? ['--rdonly_shmem_buf'] : []),
    ...options.files,
  ];
}

const SWITCHES = [
  ['perIoTasks', '--per_io_tasks'],
  ['autoZcFallback', '--auto_zc_fallback'],
  ['rotateAutoBuf', '--rotate_auto_buf'],
  ['noUblkFixedFd', '--no_ublk_fixed_fd'],
  ['share', '--share'],
  ['mlock', '--mlock'],
  ['quiet', '--quiet'],
] as const;

/** The driver's other features are asked for by another option, or always. */
const FEATURE_WORDS: Partial<Readonly<Record<Feature, readonly string[]>>> = {
  SUPPORT_ZERO_COPY: ['-z'],
  NEED_GET_DATA: ['-g'],
  USER_COPY: ['-u'],
  ZONED: ['--zoned'],
  AUTO_BUF_REG: ['--auto_zc'],
  BATCH_IO: ['-b'],
  USER_RECOVERY_REISSUE: ['-i', '1'],
  USER_RECOVERY_FAIL_IO: ['-e', '1'],
  NO_AUTO_PART_SCAN: ['--no_auto_part_scan'],
  SHMEM_ZC: ['--shmem_zc'],
};

/** -i and -e include -r. */
function featureWords(feature: Feature, all: readonly Feature[]): readonly string[] {
  if (feature !== 'USER_RECOVERY') return FEATURE_WORDS[feature] ?? [];
  return all.includes('USER_RECOVERY_REISSUE') || all.includes('USER_RECOVERY_FAIL_IO') ? [] : ['-r', '1'];
}

function integrityWords(integrity: IntegrityOptions): string[] {
  return [
    ...changedNumber('--metadata_size', integrity.metadataSize, 0),
    ...(integrity.capable ? ['--integrity_capable'] : []),
    ...(integrity.reftag ? ['--integrity_reftag'] : []),
    ...changedNumber('--pi_offset', integrity.piOffset, 0),
    ...(integrity.csumType === 'none' ? [] : ['--csum_type', integrity.csumType]),
    ...changedNumber('--tag_size', integrity.tagSize, 0),
  ];
}

function changedNumber(flag: string, value: number, usual: number): string[] {
  return value === usual ? [] : [flag, String(value)];
}
