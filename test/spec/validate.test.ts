import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ADD_DEFAULTS, type AddOptions, type IntegrityOptions } from '../../src/spec/options.ts';
import { validateAddOptions } from '../../src/spec/validate.ts';
import { UblkError } from '../../src/errors.ts';

const PI: IntegrityOptions = {
  metadataSize: 8,
  capable: false,
  reftag: false,
  piOffset: 0,
  csumType: 'none',
  tagSize: 0,
};

function options(changes: Partial<AddOptions>): AddOptions {
  return { ...ADD_DEFAULTS, target: 'null', ...changes };
}

describe('what the kernel selftests ask for is allowed', () => {
  const lines: [string, Partial<AddOptions>][] = [
    ['the defaults', {}],
    ['-q 32 -d 4096', { queues: 32, depth: 4096 }],
    ['-q 4 -d 16 --nthreads 7 --per_io_tasks', { queues: 4, depth: 16, threads: 7, perIoTasks: true }],
    ['-q 1 --nthreads 4 -b', { queues: 1, threads: 4, features: ['BATCH_IO'] }],
    ['-q 4 --nthreads 1 -b', { queues: 4, threads: 1, features: ['BATCH_IO'] }],
    ['-z --auto_zc --auto_zc_fallback', { features: ['SUPPORT_ZERO_COPY', 'AUTO_BUF_REG'], autoZcFallback: true }],
    ['-b --auto_zc --rotate_auto_buf', { features: ['BATCH_IO', 'AUTO_BUF_REG'], rotateAutoBuf: true }],
    [
      '-u --metadata_size 64 --pi_offset 56 --csum_type ip',
      integrity({ metadataSize: 64, piOffset: 56, csumType: 'ip' }),
    ],
    [
      '-u --metadata_size 16 --csum_type nvme --tag_size 8',
      integrity({ metadataSize: 16, csumType: 'nvme', tagSize: 8 }),
    ],
    ['--io_desc_size 64', { features: ['IO_DESC_SIZE'], ioDescSize: 64 }],
    ['--shmem_zc --htlb FILE', { features: ['SHMEM_ZC'], buffers: [{ path: '/mnt/buf', readOnly: false }] }],
  ];
  for (const [line, changes] of lines) test(line, () => validateAddOptions(options(changes)));
});

describe('what cannot work is refused with a sentence and a hint', () => {
  const lines: [string, Partial<AddOptions>, RegExp][] = [
    ['-q 0', { queues: 0 }, /0 is out of range for queues/],
    ['-q 33', { queues: 33 }, /33 is out of range for queues/],
    ['-d 0', { depth: 0 }, /0 is out of range for queue depth/],
    ['-d 5000', { depth: 5000 }, /5000 is out of range/],
    ['--nthreads 33', { threads: 33, perIoTasks: true }, /threads/],
    ['--nthreads 3 for 2 queues', { threads: 3 }, /3 threads cannot serve 2 queues/],
    ['--per_io_tasks -b', { perIoTasks: true, features: ['BATCH_IO'] }, /cannot be combined/],
    ['--auto_zc_fallback without -z', { autoZcFallback: true, features: ['AUTO_BUF_REG'] }, /requires/],
    ['--auto_zc_fallback without --auto_zc', { autoZcFallback: true, features: ['SUPPORT_ZERO_COPY'] }, /requires/],
    ['-z --auto_zc', { features: ['SUPPORT_ZERO_COPY', 'AUTO_BUF_REG'] }, /-z.* and --auto_zc are different ways/],
    ['-g -u', { features: ['NEED_GET_DATA', 'USER_COPY'] }, /different ways/],
    [
      '-u with --auto_zc_fallback',
      { features: ['SUPPORT_ZERO_COPY', 'AUTO_BUF_REG', 'USER_COPY'], autoZcFallback: true },
      /different ways/,
    ],
    [
      '-b --auto_zc --nthreads 3',
      { threads: 3, features: ['BATCH_IO', 'AUTO_BUF_REG'] },
      /no more threads than queues/,
    ],
    ['--rotate_auto_buf alone', { rotateAutoBuf: true }, /requires --auto_zc and --batch/],
    ['--rotate_auto_buf --auto_zc', { rotateAutoBuf: true, features: ['AUTO_BUF_REG'] }, /requires/],
    ['-e 1 -i 1', { features: ['USER_RECOVERY', 'USER_RECOVERY_REISSUE', 'USER_RECOVERY_FAIL_IO'] }, /contradict/],
    ['reissue without recovery', { features: ['USER_RECOVERY_REISSUE'] }, /recovered/],
    ['--htlb without --shmem_zc', { buffers: [{ path: '/mnt/buf', readOnly: false }] }, /requires --shmem_zc/],
    ['--io_desc_size 16', { features: ['IO_DESC_SIZE'], ioDescSize: 16 }, /out of range/],
    ['--io_desc_size 30', { features: ['IO_DESC_SIZE'], ioDescSize: 30 }, /multiple of 8/],
    ['--zoned alone', { features: ['ZONED'] }, /--user_copy or --zero_copy/],
    ['--metadata_size without -u', { integrity: PI, features: [] }, /requires --user_copy/],
    [
      'integrity options without --metadata_size',
      integrity({ metadataSize: 0, capable: true }),
      /require --metadata_size/,
    ],
    ['--metadata_size 256', integrity({ metadataSize: 256 }), /out of range/],
    ['--integrity_reftag without a checksum', integrity({ reftag: true }), /requires a checksum/],
    ['a tuple beyond the metadata', integrity({ piOffset: 1, csumType: 'ip' }), /ends at byte 9 of 8/],
  ];
  for (const [line, changes, message] of lines) {
    test(line, () => {
      assert.throws(
        () => validateAddOptions(options(changes)),
        (error) => error instanceof UblkError && error.kind === 'usage' && message.test(error.message) && !!error.hint,
      );
    });
  }
});

function integrity(changes: Partial<IntegrityOptions>): Partial<AddOptions> {
  return { features: ['USER_COPY', 'INTEGRITY'], integrity: { ...PI, ...changes } };
}
