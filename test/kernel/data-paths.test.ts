/**
 * Every way of moving data, under every layout of threads, on every target that keeps data: what fio wrote is what fio
 * reads, by checksum, in blocks from a sector to 1 MiB. The combinations are generated; those that `add` refuses
 * (spec/checks/, and its tests) are left out. With UBLKTS_LONG=1 all of them run on each target. Without it two
 * of eight run, each on one of the targets, and one thread for three queues and most of --no_ublk_fixed_fd are left out.
 */
import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { FeatureSet } from '../../src/spec/features.ts';
import { ADD_DEFAULTS, type AddOptions } from '../../src/spec/options.ts';
import { resolve } from '../../src/spec/resolve.ts';
import { loopTarget } from '../../src/targets/loop/index.ts';
import { type FioJob, fio } from '../../tools/guest/fio.ts';
import { hugeFile } from '../../tools/guest/hugetlbfs.ts';
import { tidied } from '../../tools/guest/tidied.ts';
import { describeDevice, leavesNothingBehind, skip, withDevice } from './guest.ts';
import { LONG } from './support/long.ts';

type Options = Partial<AddOptions>;
type Cell = readonly [words: string, options: Options];

/** By the words that ask for it. */
const DATA_PATHS: Readonly<Record<string, Options>> = {
  copy: { dataPath: 'copy' },
  '-g': { features: ['NEED_GET_DATA'] },
  '-u': { features: ['USER_COPY'] },
  '-z': { features: ['SUPPORT_ZERO_COPY'] },
  '--auto_zc': { features: ['AUTO_BUF_REG'] },
  '-z --auto_zc --auto_zc_fallback': { features: ['SUPPORT_ZERO_COPY', 'AUTO_BUF_REG'], autoZcFallback: true },
};

const LAYOUTS: Readonly<Record<string, Options>> = {
  '-q 2': { queues: 2 },
  '-q 2 --nthreads 3 --per_io_tasks': { queues: 2, threads: 3, perIoTasks: true },
  '-q 2 -b': { queues: 2, features: ['BATCH_IO'], dataPath: null },
  '-q 2 -b --nthreads 4': { queues: 2, threads: 4, features: ['BATCH_IO'], dataPath: null },
  ...(LONG ? { '-q 3 -b --nthreads 1': { queues: 3, threads: 1, features: ['BATCH_IO'], dataPath: null } } : {}),
};

/** One at a time, each with the data paths that it may disturb. */
const EXTRAS: readonly Cell[] = [
  ...Object.entries(DATA_PATHS)
    .filter(([words]) => LONG || words === 'copy' || words === '-z')
    .map(([words, path]) => both(words, path, '--no_ublk_fixed_fd', { noUblkFixedFd: true })),
  both('copy', DATA_PATHS['copy'], '--io_desc_size 64', { features: ['IO_DESC_SIZE'], ioDescSize: 64 }),
  both('copy', {}, '-b --io_desc_size 256', { features: ['BATCH_IO', 'IO_DESC_SIZE'], ioDescSize: 256 }),
  both('--auto_zc', DATA_PATHS['--auto_zc'], '-b --rotate_auto_buf', { features: ['BATCH_IO'], rotateAutoBuf: true }),
  both('copy', DATA_PATHS['copy'], '-q 1 -d 1', { queues: 1, depth: 1 }),
];

const CELLS: readonly Cell[] = [
  ...Object.entries(LAYOUTS).flatMap(([layoutWords, layout]) =>
    Object.entries(DATA_PATHS).map(([words, path]) => both(words, path, layoutWords, layout)),
  ),
  ...EXTRAS,
].filter(([, options]) => isAllowed(options));

/** The mode that others fall back to, the ones that map nothing, and batches. */
const WITH_SHARED_MEMORY = [
  'copy -q 2',
  '-u -q 2',
  '-z -q 2',
  '--auto_zc -q 2',
  'copy -q 2 -b',
  'copy -q 2 -b --nthreads 4',
];

const TARGETS: Readonly<Record<string, Options>> = {
  loop: { files: backingFiles(1) },
  stripe: { files: backingFiles(3), targetOptions: { chunk_size: '65536' } },
};

const MIXED: FioJob = {
  rw: 'randwrite',
  bssplit: '512/30:4k/20:24k/20:132k/15:1m/15',
  blockalign: 512,
  iodepth: 8,
  size: '8m',
  verify: 'crc32c',
  do_verify: 1,
  verify_fatal: 1,
  verify_state_save: 0,
};

Object.entries(TARGETS).forEach(([target, backing], index) => {
  const mine = (cells: readonly Cell[]) => (LONG ? cells : cells.filter((_cell, at) => at % 8 === 4 * index));

  describe(`${target}: data written is data read`, { skip, timeout: 1_800_000 }, () => {
    leavesNothingBehind();

    for (const [words, options] of mine(CELLS)) {
      test(words, () =>
        withDevice({ target, depth: 32, ...backing, ...options }, async ({ path }) => {
          const { error, stderr } = await fio(path, MIXED);
          assert.equal(error, 0, stderr);
        }),
      );
    }

    for (const [words, options] of mine(CELLS.filter(([name]) => WITH_SHARED_MEMORY.includes(name)))) {
      test(`${words} --shmem_zc, fio's memory shared`, async () => {
        const buffer = hugeFile(16);
        const buffers = [{ path: buffer.path, readOnly: false }];
        const features = [...(options.features ?? []), 'SHMEM_ZC'] as const;
        await tidied(
          () =>
            withDevice({ target, depth: 32, ...backing, ...options, features, buffers }, async ({ id, path }) => {
              const { error, stderr, requests } = await fio(path, { ...MIXED, mem: `mmaphuge:${buffer.path}` });
              assert.equal(error, 0, stderr);
              const matched = (await describeDevice(id)).io?.matched.requests ?? 0;
              assert.ok(matched >= requests, `${matched} of ${requests} requests matched`);
            }),
          buffer.remove,
        );
      });
    }
  });
});

/** Features add up, everything else is the second one's. */
function both(pathWords: string, path: Options = {}, words: string, options: Options): Cell {
  const features = [...(path.features ?? []), ...(options.features ?? [])];
  return [`${pathWords} ${words}`, { ...path, ...options, features }];
}

function isAllowed(options: Options): boolean {
  try {
    resolve({ ...ADD_DEFAULTS, target: 'loop', files: ['/disk'], ...options }, loopTarget, FeatureSet.all);
    return true;
  } catch {
    return false;
  }
}

function backingFiles(count: number): string[] {
  return Array.from({ length: count }, (_none, index) => {
    // The guest's disk takes O_DIRECT as real ones do; a multiple of every chunk.
    const file = `/var/tmp/data-paths-${count}-${index}`;
    if (skip === false) {
      writeFileSync(file, '');
      truncateSync(file, 48 * 1024 * 1024);
    }
    return file;
  });
}
