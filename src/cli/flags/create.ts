/** kublk's options for a new device, by its names; `add` and `recover` take all of them. */
import * as Flags from '@oclif/core/flags';
import { featureFlags, sharedMemoryFlags } from './features.ts';
import { cpuList, hexMask, onOff, size, wholeNumber, zeroOrOne } from './values.ts';

const integrityFlags = {
  metadata_size: wholeNumber({ summary: 'Bytes of metadata a block; turns integrity on.', helpGroup: 'INTEGRITY' }),
  integrity_capable: onOff({ summary: 'The device can verify integrity itself.', helpGroup: 'INTEGRITY' }),
  integrity_reftag: onOff({ summary: 'Check reference tags.', helpGroup: 'INTEGRITY' }),
  pi_offset: wholeNumber({ summary: 'Where in the metadata the protection tuple starts.', helpGroup: 'INTEGRITY' }),
  csum_type: Flags.option({
    options: ['ip', 't10dif', 'nvme'] as const,
    summary: 'The checksum of the protection tuple.',
    helpGroup: 'INTEGRITY',
  })(),
  tag_size: wholeNumber({ summary: 'Bytes of the application tag.', helpGroup: 'INTEGRITY' }),
};

const threadFlags = {
  nthreads: wholeNumber({ summary: 'Server threads (default: one a queue).', helpGroup: 'THREADS' }),
  cpus: cpuList({
    summary: 'CPUs that the queue threads may run on (default: those that submit to their queue).',
    helpGroup: 'THREADS',
  }),
  per_io_tasks: onOff({ summary: 'Spread the tags of all queues over the threads.', helpGroup: 'THREADS' }),
  no_ublk_fixed_fd: onOff({ summary: 'Do not register /dev/ublkcN with the rings.', helpGroup: 'THREADS' }),
};

/** Of the built-in targets. */
const targetFlags = {
  size: size({ char: 's', summary: 'Size of the device, where the target can choose it.', helpGroup: 'TARGET' }),
  chunk_size: size({ summary: 'stripe: bytes to a file before the next (default 64K).', helpGroup: 'TARGET' }),
  delay_us: wholeNumber({ summary: 'fault_inject: microseconds that each request waits.', helpGroup: 'TARGET' }),
  die_during_fetch: zeroOrOne({
    summary: 'fault_inject: kill the server while a queue fetches.',
    helpGroup: 'TARGET',
  }),
  target_option: Flags.string({
    char: 'o',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME=VALUE',
    summary: 'Any other option of the target; may be repeated.',
    helpGroup: 'TARGET',
  }),
};

export const createFlags = {
  queues: wholeNumber({ char: 'q', summary: 'Hardware queues, up to 32 (default 2).', helpGroup: 'DEVICE' }),
  depth: wholeNumber({ char: 'd', summary: 'Requests a queue, up to 4096 (default 128).', helpGroup: 'DEVICE' }),
  max_io_buf_bytes: size({ summary: 'The largest request (default 1M).', helpGroup: 'DEVICE' }),
  ...featureFlags,
  auto_zc_fallback: onOff({
    summary: 'With --auto_zc -z: fall back to registering by hand where automatic registration fails.',
    helpGroup: 'DATA PATH',
  }),
  data_path: Flags.string({
    summary:
      'Name the path: copy, get_data, user_copy, zero_copy, auto_zc, or batch+ and one of them (default: the fastest for the target).',
    helpValue: 'NAME',
    helpGroup: 'DATA PATH',
  }),
  rotate_auto_buf: onOff({
    summary: 'With --auto_zc --batch: use another buffer index each time.',
    helpGroup: 'DATA PATH',
  }),
  ...sharedMemoryFlags,
  ...threadFlags,
  ...integrityFlags,
  ...targetFlags,
  foreground: onOff({ summary: 'Serve from this process until Ctrl-C or del.', helpGroup: 'SERVER' }),
  quiet: onOff({ summary: 'The server logs nothing.', helpGroup: 'SERVER' }),
  debug_mask: hexMask({ summary: 'What the server logs, a bit a subject.', helpGroup: 'SERVER' }),
};
