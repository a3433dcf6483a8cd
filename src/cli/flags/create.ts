/** The flags that describe a new device, by kublk's names. `add` and `recover` take all of them. */
import * as Flags from '@oclif/core/flags';
import { dataPathNames } from '../../spec/data-paths.ts';
import { DEFAULT_SERVER } from '../../spec/server-options.ts';
import { featureFlags, sharedMemoryFlags } from './features.ts';
import { cpuList, hexMask, onOff, residentServer, size, wholeNumber, zeroOrOne } from './values.ts';

const integrityFlags = {
  metadata_size: wholeNumber({
    summary: 'Bytes of metadata per block. A value above 0 turns integrity on.',
    helpGroup: 'INTEGRITY',
  }),
  integrity_capable: onOff({
    summary: 'Tell the kernel that the device can verify integrity itself.',
    helpGroup: 'INTEGRITY',
  }),
  integrity_reftag: onOff({ summary: 'Let the kernel check reference tags.', helpGroup: 'INTEGRITY' }),
  pi_offset: wholeNumber({
    summary: 'The offset of the protection tuple in the metadata, in bytes.',
    helpGroup: 'INTEGRITY',
  }),
  csum_type: Flags.option({
    options: ['ip', 't10dif', 'nvme'] as const,
    summary: 'The checksum of the protection tuple.',
    helpGroup: 'INTEGRITY',
  })(),
  tag_size: wholeNumber({ summary: 'Bytes of the application tag in the metadata.', helpGroup: 'INTEGRITY' }),
};

const threadFlags = {
  nthreads: wholeNumber({ summary: 'Number of server threads (default: one per queue).', helpGroup: 'THREADS' }),
  cpus: cpuList({
    summary: 'CPUs that the queue threads may run on (default: those that submit to the queue of the thread).',
    helpGroup: 'THREADS',
  }),
  per_io_tasks: onOff({ summary: 'Spread the requests of every queue over all threads.', helpGroup: 'THREADS' }),
  no_ublk_fixed_fd: onOff({
    summary: 'Do not register /dev/ublkcN with the rings of the threads. It is slower, and is for tests.',
    helpGroup: 'THREADS',
  }),
};

/** The options of the built-in targets. */
const targetFlags = {
  size: size({ char: 's', summary: 'Size of the device, for a target that can have any size.', helpGroup: 'TARGET' }),
  chunk_size: size({
    summary: 'stripe: bytes in one file before the next file follows (default 64K).',
    helpGroup: 'TARGET',
  }),
  delay_us: wholeNumber({ summary: 'fault_inject: microseconds that each request is delayed.', helpGroup: 'TARGET' }),
  die_during_fetch: zeroOrOne({
    summary: 'fault_inject: kill the server while a queue fetches its first requests.',
    helpGroup: 'TARGET',
  }),
  offset: size({ summary: 'loop: where in the file the device begins (default 0).', helpGroup: 'TARGET' }),
  sizelimit: size({ summary: 'loop: the most bytes of the file that the device has.', helpGroup: 'TARGET' }),
  read_only: onOff({ summary: 'loop: open the file read-only; the device is read-only too.', helpGroup: 'TARGET' }),
  buffered_io: onOff({ summary: 'loop: use the page cache instead of direct I/O.', helpGroup: 'TARGET' }),
  logical_block_size: wholeNumber({
    summary: 'loop: bytes of the smallest request, 512 to 4096 (default: what the file needs).',
    helpGroup: 'TARGET',
  }),
  no_discard: onOff({ summary: 'loop: do not offer discards and zeroes.', helpGroup: 'TARGET' }),
  uri: Flags.string({
    summary: 'nbd: the URI of the export. It can also stand in place of the files.',
    helpValue: 'URI',
    helpGroup: 'TARGET',
  }),
  program: Flags.string({
    summary:
      'nbd: a program to start for the device, quoted as for a shell. It can also follow --. It has the environment of this command, or with --server that of the resident server.',
    helpValue: 'COMMAND',
    helpGroup: 'TARGET',
  }),
  export: Flags.string({
    summary: 'nbd: the name of the export of the program (default: the export without a name).',
    helpValue: 'NAME',
    helpGroup: 'TARGET',
  }),
  directory: Flags.string({
    summary: 'nbd: the directory that the program is started in (default: the current one).',
    helpValue: 'DIR',
    helpGroup: 'TARGET',
  }),
  reconnect_delay: wholeNumber({
    summary: 'nbd: seconds that requests wait for a lost server before they fail (default 0: for ever).',
    helpGroup: 'TARGET',
  }),
  request_timeout: wholeNumber({
    summary:
      'nbd: seconds within which the server must answer a request, or its connection is made again (default 0: no limit).',
    helpGroup: 'TARGET',
  }),
  tls_certificates: Flags.string({
    summary: 'nbds: a directory with ca-cert.pem, and client-cert.pem and client-key.pem if the server asks for them.',
    helpValue: 'DIR',
    helpGroup: 'TARGET',
  }),
  tls_psk_file: Flags.string({
    summary: 'nbds: a file with the key that is shared with the server, in a line USER:HEX.',
    helpValue: 'FILE',
    helpGroup: 'TARGET',
  }),
  tls_hostname: Flags.string({
    summary: "nbds: the name in the server's certificate (default: the host of the URI).",
    helpValue: 'NAME',
    helpGroup: 'TARGET',
  }),
  tls_verify_peer: Flags.string({
    summary: "nbds: whether to look at the server's certificate (default yes).",
    helpValue: 'yes|no',
    helpGroup: 'TARGET',
  }),
  structured_replies: onOff({
    summary: 'nbd: ask for structured replies, so that the holes of an image are not sent.',
    helpGroup: 'TARGET',
  }),
  share: onOff({
    summary:
      'Let other devices that also have --share use the same backing files. UBLKTS_SHARE=1 in the environment means --share for every device.',
    env: 'UBLKTS_SHARE',
    helpGroup: 'TARGET',
  }),
  target_option: Flags.string({
    char: 'o',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME=VALUE',
    summary: 'Set any option of the target; may be repeated.',
    helpGroup: 'TARGET',
  }),
};

export const createFlags = {
  queues: wholeNumber({ char: 'q', summary: 'Hardware queues, up to 32 (default 2).', helpGroup: 'DEVICE' }),
  depth: wholeNumber({ char: 'd', summary: 'Requests per queue, up to 4096 (default 128).', helpGroup: 'DEVICE' }),
  max_io_buf_bytes: size({ summary: 'Size of the largest request (default 1M).', helpGroup: 'DEVICE' }),
  ...featureFlags,
  auto_zc_fallback: onOff({
    summary: 'With --auto_zc -z: let the server register the pages where automatic registration fails.',
    helpGroup: 'DATA PATH',
  }),
  data_path: Flags.string({
    summary: `Choose how the data of a request travels: ${dataPathNames().join(', ')}. The default for loop, ram and stripe is automatic registration of buffers (auto_zc), where the driver has it and no other flag decides. The default for all other targets is copy.`,
    helpValue: 'DATA_PATH',
    helpGroup: 'DATA PATH',
  }),
  rotate_auto_buf: onOff({
    summary: 'With --auto_zc --batch: use another buffer index for each request.',
    helpGroup: 'DATA PATH',
  }),
  ...sharedMemoryFlags,
  ...threadFlags,
  ...integrityFlags,
  ...targetFlags,
  foreground: onOff({
    summary: 'Stay in the foreground until the device is deleted, which Ctrl-C does.',
    helpGroup: 'SERVER',
  }),
  server: residentServer({
    summary: `Let a resident server (see \`serve\`) serve the device, in place of a process of its own: the server ${DEFAULT_SERVER}, or with --server=NAME another.`,
    helpGroup: 'SERVER',
  }),
  mlock: onOff({
    summary:
      'Give all I/O buffers their memory before the device is live, so that no request waits or fails because memory is short. A device that is used as swap needs it.',
    helpGroup: 'SERVER',
  }),
  quiet: onOff({ summary: 'Start a server that logs nothing.', helpGroup: 'SERVER' }),
  debug_mask: hexMask({
    summary:
      'The sum of what the server writes to /run/ublkts/N.log: 1 the device, 2 its threads, 4 or 8 every request.',
    helpGroup: 'SERVER',
  }),
};
