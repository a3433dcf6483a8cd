/**
 * What can be refused before the kernel is asked: the kernel's answer to most of these is a bare EINVAL, and to some of
 * them a device that hangs. kublk's refusals are all here, in its order, then the kernel's own (ublk_ctrl_add_dev and
 * ublk_validate_params of Linux 7.3).
 */
import { usageError } from '../errors.ts';
import { type AddOptions, type IntegrityOptions, MAX_DEPTH, MAX_QUEUES, MAX_THREADS } from './options.ts';

const IO_DESC_BYTES = 24; // sizeof(struct ublksrv_io_desc)
const MAX_IO_DESC_BYTES = 256; // UBLK_MAX_IO_DESC_SIZE
/** Bytes of one protection tuple, by checksum. */
const TUPLE_BYTES: Readonly<Record<IntegrityOptions['csumType'], number>> = { none: 0, ip: 8, t10dif: 8, nvme: 16 };

export function validateAddOptions(options: AddOptions): void {
  checkCounts(options);
  checkThreads(options);
  checkDataPath(options);
  checkRecovery(options);
  checkSharedMemory(options);
  checkIoDesc(options);
  if (options.integrity !== null) checkIntegrity(options.integrity, options);
}

function checkCounts({ queues, depth, threads }: AddOptions): void {
  checkRange('queues (-q)', queues, 1, MAX_QUEUES);
  checkRange('queue depth (-d)', depth, 1, MAX_DEPTH);
  checkRange('threads (--nthreads)', threads, 0, MAX_THREADS);
}

function checkThreads(options: AddOptions): void {
  const { queues, threads, perIoTasks } = options;
  const batch = has(options, 'BATCH_IO');
  if (perIoTasks && batch) {
    throw usageError(
      '--per_io_tasks and --batch cannot be combined',
      'each decides which thread serves a request: use one',
    );
  }
  if (threads !== 0 && threads !== queues && !perIoTasks && !batch) {
    throw usageError(
      `${plural(threads, 'thread')} cannot serve ${plural(queues, 'queue')} one to one`,
      `add --per_io_tasks or --batch, or make --nthreads ${queues}`,
    );
  }
  if (has(options, 'AUTO_BUF_REG') && batch && threads > queues) {
    throw usageError(
      `--auto_zc with --batch allows no more threads than queues: ${threads} of ${queues}`,
      `make --nthreads ${queues} or fewer`,
    );
  }
  if (options.rotateAutoBuf && !(has(options, 'AUTO_BUF_REG') && batch)) {
    throw usageError('--rotate_auto_buf requires --auto_zc and --batch', 'add --auto_zc --batch');
  }
}

function checkDataPath(options: AddOptions): void {
  const { autoZcFallback } = options;
  const zeroCopy = has(options, 'SUPPORT_ZERO_COPY');
  const auto = has(options, 'AUTO_BUF_REG');
  if (autoZcFallback && !(zeroCopy && auto)) {
    throw usageError('--auto_zc_fallback requires --auto_zc and --zero_copy', 'add --auto_zc -z');
  }
  const chosen = [
    has(options, 'NEED_GET_DATA') && '--get_data (-g)',
    has(options, 'USER_COPY') && '--user_copy (-u)',
    zeroCopy && !autoZcFallback && '--zero_copy (-z)',
    auto && !autoZcFallback && '--auto_zc',
    autoZcFallback && '--auto_zc_fallback',
  ].filter((mode) => mode !== false);
  if (chosen.length > 1) {
    throw usageError(`${list(chosen)} are different ways to move the data`, 'choose one of them');
  }
  if (has(options, 'ZONED') && !has(options, 'USER_COPY') && !zeroCopy) {
    throw usageError('--zoned requires --user_copy or --zero_copy', 'add -u or -z');
  }
}

function checkRecovery(options: AddOptions): void {
  const reissue = has(options, 'USER_RECOVERY_REISSUE');
  const failIo = has(options, 'USER_RECOVERY_FAIL_IO');
  if (reissue && failIo) {
    throw usageError(
      '--recovery_reissue and --recovery_fail_io contradict each other',
      'while the server is away, requests are either kept (-i 1) or failed (-e 1)',
    );
  }
  if ((reissue || failIo || has(options, 'QUIESCE')) && !has(options, 'USER_RECOVERY')) {
    throw usageError('this needs a device that can be recovered', 'add -r 1');
  }
}

function checkSharedMemory(options: AddOptions): void {
  if (options.buffers.length > 0 && !has(options, 'SHMEM_ZC')) {
    throw usageError('a shared buffer (--htlb) requires --shmem_zc', 'add --shmem_zc');
  }
}

function checkIoDesc(options: AddOptions): void {
  const size = options.ioDescSize;
  if (!has(options, 'IO_DESC_SIZE')) return;
  checkRange('--io_desc_size', size, IO_DESC_BYTES, MAX_IO_DESC_BYTES);
  if (size % 8 !== 0)
    throw usageError(`--io_desc_size ${size} is not a multiple of 8`, 'descriptors hold 64-bit words');
}

function checkIntegrity(integrity: IntegrityOptions, options: AddOptions): void {
  const { metadataSize, piOffset, tagSize, csumType, reftag } = integrity;
  if (metadataSize === 0) {
    throw usageError('integrity options require --metadata_size', 'add --metadata_size BYTES, for example 8');
  }
  checkRange('--metadata_size', metadataSize, 1, 255);
  checkRange('--pi_offset', piOffset, 0, 255);
  checkRange('--tag_size', tagSize, 0, 255);
  if (!has(options, 'USER_COPY')) throw usageError('integrity data requires --user_copy', 'add -u');
  if (reftag && csumType === 'none') {
    throw usageError('--integrity_reftag requires a checksum', 'add --csum_type ip, t10dif or nvme');
  }
  const end = piOffset + TUPLE_BYTES[csumType];
  if (end > metadataSize) {
    throw usageError(
      `a ${csumType} tuple at offset ${piOffset} ends at byte ${end} of ${metadataSize}`,
      `make --metadata_size ${end} or --pi_offset smaller`,
    );
  }
}

function has(options: AddOptions, feature: string): boolean {
  return options.features.includes(feature);
}

function checkRange(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw usageError(`${value} is out of range for ${what}`, `it goes from ${least} to ${most}`);
  }
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function list(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
