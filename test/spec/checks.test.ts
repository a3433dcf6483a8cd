import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ADD_DEFAULTS, type AddOptions, type IntegrityOptions } from '../../src/spec/options.ts';
import { messageOf } from '../../src/cli/flags/flag-names.ts';
import { UblkError } from '../../src/errors.ts';
import { FeatureSet } from '../../src/spec/features.ts';
import { resolve } from '../../src/spec/resolve.ts';
import { nullTarget } from '../../src/targets/null/index.ts';
import { loopTarget } from '../../src/targets/loop/index.ts';
import { stripeTarget } from '../../src/targets/stripe/index.ts';
import type { TargetTraits } from '../../src/spec/target-traits.ts';

const PI: IntegrityOptions = {
  metadataSize: 8,
  capable: false,
  reftag: false,
  piOffset: 0,
  csumType: 'none',
  tagSize: 0,
};

function check(changes: Partial<AddOptions>, driver = FeatureSet.all): void {
  resolve({ ...ADD_DEFAULTS, target: 'null', ...changes }, nullTarget, driver);
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
  for (const [line, changes] of lines) test(line, () => check(changes));
});

describe('what cannot work is refused with a sentence and a hint', () => {
  const lines: [string, Partial<AddOptions>, RegExp][] = [
    ['-q 0', { queues: 0 }, /--queues 0 is out of range/],
    ['-q 33', { queues: 33 }, /--queues 33 is out of range/],
    ['-d 0', { depth: 0 }, /--depth 0 is out of range/],
    ['-d 5000', { depth: 5000 }, /--depth 5000 is out of range/],
    ['--nthreads 33', { threads: 33, perIoTasks: true }, /--nthreads 33 is out of range/],
    ['--nthreads 3 for 2 queues', { threads: 3 }, /3 threads cannot serve 2 queues/],
    ['--per_io_tasks -b', { perIoTasks: true, features: ['BATCH_IO'] }, /cannot be combined/],
    ['-b -d 1', { depth: 1, features: ['BATCH_IO'] }, /\(--batch\) needs --depth 2 or more/],
    ['--auto_zc_fallback without -z', { autoZcFallback: true, features: ['AUTO_BUF_REG'] }, /requires/],
    ['--auto_zc_fallback without --auto_zc', { autoZcFallback: true, features: ['SUPPORT_ZERO_COPY'] }, /requires/],
    [
      '-z --auto_zc',
      { features: ['SUPPORT_ZERO_COPY', 'AUTO_BUF_REG'] },
      /--zero_copy and --auto_zc are different ways/,
    ],
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
    ['--zoned alone', { features: ['ZONED'] }, /target null cannot serve a zoned device .*--zoned/],
    ['--zoned -u', { features: ['ZONED', 'USER_COPY'] }, /target null cannot serve a zoned device/],
    ['--data_path batch+copy --per_io_tasks', { dataPath: 'batch+copy', perIoTasks: true }, /cannot be combined/],
    ['a feature that is none', { features: ['SHMEM' as 'SHMEM_ZC'] }, /no feature named "SHMEM"/],
    ['an option that is none of the target', { targetOptions: { chunk_size: '4096' } }, /has no option --chunk_size/],
    ['a file', { files: ['/img'] }, /takes no backing file, not 1/],
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
        () => check(changes),
        (thrown) => {
          assert.ok(thrown instanceof UblkError && thrown.kind === 'usage' && !!thrown.hint, String(thrown));
          assert.match(messageOf(thrown), message);
          return true;
        },
      );
    });
  }
});

test('a size for a target that serves files is answered with whose size counts', () => {
  assert.throws(refused(loopTarget, ['/srv/disk.img']), {
    kind: 'usage',
    message: /^the size of a loop device is that of its file/,
    hint: /`truncate -s 1000000000 \/srv\/disk.img` before, or `ublkts update_size -n N -s SIZE --grow` later/,
  });
  assert.throws(refused(stripeTarget, ['/a', '/b']), {
    message: /of a stripe device is made up of those of its files/,
  });
});

function refused(target: TargetTraits, files: readonly string[]): () => void {
  const options = { ...ADD_DEFAULTS, target: target.name, files, targetOptions: { size: '1000000000' } };
  return () => void resolve(options, target, FeatureSet.all);
}

describe("what this kernel's driver lacks", () => {
  test('is named, with the Linux that has it', () => {
    assert.throws(() => check({ features: ['USER_COPY', 'SHMEM_ZC'] }, FeatureSet.of('USER_COPY', 'BATCH_IO')), {
      message: "this kernel's ublk driver has no UBLK_F_SHMEM_ZC",
      hint: 'it is in Linux 7.1 and newer; `ublkts features` shows what is here',
      kind: 'unsupported',
      code: 'EOPNOTSUPP',
    });
  });
  test('what it has is not refused', () => {
    check({}, FeatureSet.none);
    check({ features: ['SHMEM_ZC', 'BATCH_IO'] }, FeatureSet.of('SHMEM_ZC', 'BATCH_IO'));
  });
  test('threads that share the tags of a queue need the driver to let them', () => {
    assert.throws(() => check({ perIoTasks: true, threads: 3 }, FeatureSet.none), { kind: 'unsupported' });
  });
});

test('the library names options where the command line names flags', () => {
  assert.throws(() => check({ threads: 3 }), {
    message: '3 threads cannot serve 2 queues one to one',
    hint: "add `perIoTasks` or `features: ['BATCH_IO']`, or make `threads` 2",
  });
});

function integrity(changes: Partial<IntegrityOptions>): Partial<AddOptions> {
  return { features: ['USER_COPY', 'INTEGRITY'], integrity: { ...PI, ...changes } };
}
