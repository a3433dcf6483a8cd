/** A device may be asked for in different words: features, the name of a data path, flags. The words make no difference. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from '@oclif/core/parser';
import * as fc from 'fast-check';
import { normaliseArgv } from '../../src/cli/argv/normalise.ts';
import { addRequest } from '../../src/cli/flags/add-request.ts';
import Add from '../../src/commands/add.ts';
import { addWords } from '../../src/device/recover/add-command.ts';
import { UblkError } from '../../src/errors.ts';
import { DATA_PATHS, type DataPathName, nameOfDataPath } from '../../src/spec/data-paths.ts';
import { type DeviceSpec, optionsFor } from '../../src/spec/device-spec.ts';
import { type Feature, FEATURE_NAMES, FeatureSet } from '../../src/spec/features.ts';
import { ADD_DEFAULTS, type AddOptions, type IntegrityOptions } from '../../src/spec/options.ts';
import { resolve } from '../../src/spec/resolve.ts';
import { nullTarget } from '../../src/targets/null/index.ts';

/** A device as it is meant, before anybody has words for it. */
interface Meant {
  readonly path: DataPathName;
  readonly batch: boolean;
  readonly queues: number;
  readonly depth: number;
  readonly threads: number;
  readonly perIoTasks: boolean;
  readonly rotateAutoBuf: boolean;
  readonly recovery: readonly Feature[];
  readonly ioDescSize: number;
  readonly integrity: IntegrityOptions | null;
  readonly sharedMemory: boolean;
  readonly buffer: boolean;
  readonly zoned: boolean;
}

const PATH_FLAGS: Readonly<Record<DataPathName, string>> = {
  copy: '',
  get_data: '-g',
  user_copy: '-u',
  zero_copy: '-z',
  auto_zc: '--auto_zc',
  auto_zc_fallback: '-z --auto_zc --auto_zc_fallback',
};

const meanings: fc.Arbitrary<Meant> = fc.record({
  path: fc.constantFrom(...Object.values(DATA_PATHS).map(({ name }) => name)),
  batch: fc.boolean(),
  queues: fc.constantFrom(1, 2, 2, 2, 4, 33),
  depth: fc.constantFrom(1, 128, 128, 4097),
  threads: fc.constantFrom(0, 0, 1, 2, 4, 33),
  perIoTasks: often(false),
  rotateAutoBuf: often(false),
  recovery: fc.constantFrom<readonly Feature[]>(
    [],
    [],
    ['USER_RECOVERY'],
    ['USER_RECOVERY', 'USER_RECOVERY_REISSUE'],
    ['USER_RECOVERY', 'USER_RECOVERY_FAIL_IO'],
    ['USER_RECOVERY', 'USER_RECOVERY_REISSUE', 'USER_RECOVERY_FAIL_IO'],
  ),
  ioDescSize: fc.constantFrom(0, 0, 0, 24, 30, 64, 257),
  integrity: fc.option(
    fc.record({
      metadataSize: fc.constantFrom(0, 8, 64),
      capable: fc.constant(true),
      reftag: fc.boolean(),
      piOffset: fc.constantFrom(0, 56),
      csumType: fc.constantFrom('none', 'ip', 'nvme'),
      tagSize: fc.constantFrom(0, 6),
    }),
    { freq: 1 },
  ),
  sharedMemory: fc.boolean(),
  buffer: often(false),
  zoned: often(false),
});

const common = ({ queues, depth, threads, perIoTasks, rotateAutoBuf, integrity, buffer, ioDescSize }: Meant) => ({
  queues,
  depth,
  threads,
  perIoTasks,
  rotateAutoBuf,
  integrity,
  ioDescSize,
  buffers: buffer ? [{ path: '/mnt/buf', readOnly: false }] : [],
});

function others({ recovery, sharedMemory, zoned }: Meant): Feature[] {
  return [...recovery, ...flagged(sharedMemory, 'SHMEM_ZC' as const), ...flagged(zoned, 'ZONED' as const)];
}

/** The library, as it was before data paths had names. */
function inFeatures(meant: Meant): AddOptions {
  const path = DATA_PATHS[meant.path].features;
  const batch = flagged(meant.batch, 'BATCH_IO' as const);
  const integrity = flagged((meant.integrity?.metadataSize ?? 0) > 0, 'INTEGRITY' as const);
  const ioDesc = flagged(meant.ioDescSize > 0, 'IO_DESC_SIZE' as const);
  const features = [...others(meant), ...path, ...batch, ...integrity, ...ioDesc];
  return asked({ ...common(meant), features, autoZcFallback: meant.path === 'auto_zc_fallback' });
}

function byName(meant: Meant): AddOptions {
  const hasBatchName = DATA_PATHS[meant.path].inBatches === meant.path;
  const isInName = meant.batch && hasBatchName;
  const dataPath = nameOfDataPath(meant.path, isInName ? 'batch' : 'per_tag');
  const batch = flagged(meant.batch && !isInName, 'BATCH_IO' as const);
  return asked({ ...common(meant), features: [...others(meant), ...batch], dataPath });
}

function inFlags(meant: Meant): Promise<AddOptions> {
  return parsed([...commonFlags(meant), PATH_FLAGS[meant.path], ...flagged(meant.batch, '-b')]);
}

function inFlagsByName(meant: Meant): Promise<AddOptions> {
  return parsed([...commonFlags(meant), `--data_path ${meant.path}`, ...flagged(meant.batch, '--batch')]);
}

function commonFlags(meant: Meant): string[] {
  const { integrity, recovery } = meant;
  return [
    `-q ${meant.queues} -d ${meant.depth} --nthreads ${meant.threads}`,
    ...flagged(meant.perIoTasks, '--per_io_tasks'),
    ...flagged(meant.rotateAutoBuf, '--rotate_auto_buf'),
    ...flagged(meant.sharedMemory, '--shmem_zc'),
    ...flagged(meant.buffer, '--htlb /mnt/buf'),
    ...flagged(meant.zoned, '--zoned'),
    ...flagged(meant.ioDescSize > 0, `--io_desc_size ${meant.ioDescSize}`),
    ...flagged(recovery.includes('USER_RECOVERY') && recovery.length === 1, '-r 1'),
    ...flagged(recovery.includes('USER_RECOVERY_REISSUE'), '-i 1'),
    ...flagged(recovery.includes('USER_RECOVERY_FAIL_IO'), '-e 1'),
    ...(integrity === null
      ? []
      : [
          `--metadata_size ${integrity.metadataSize} --pi_offset ${integrity.piOffset} --tag_size ${integrity.tagSize}`,
          ...flagged(integrity.capable, '--integrity_capable'),
          ...flagged(integrity.reftag, '--integrity_reftag'),
          ...flagged(integrity.csumType !== 'none', `--csum_type ${integrity.csumType}`),
        ]),
  ];
}

describe('the words make no difference', () => {
  test('features, a data path by name, and flags give the same device or the same refusal', async () => {
    const seen = { devices: 0, refusals: 0 };
    await fc.assert(
      fc.asyncProperty(meanings, async (meant) => {
        const expected = outcomeOf(inFeatures(meant));
        seen[typeof expected === 'string' ? 'refusals' : 'devices']++;
        assert.deepEqual(outcomeOf(byName(meant)), expected);
        assert.deepEqual(outcomeOf(await inFlags(meant)), expected);
        assert.deepEqual(outcomeOf(await inFlagsByName(meant)), expected);
      }),
      { numRuns: 400 },
    );
    assert.ok(seen.devices > 20 && seen.refusals > 20, JSON.stringify(seen));
  });

  test('the command line that a hint shows asks for the same device', async () => {
    await fc.assert(
      fc.asyncProperty(meanings, async (meant) => {
        for (const options of [inFeatures(meant), byName(meant)]) {
          assert.deepEqual(outcomeOf(await parsed(addWords(options))), outcomeOf(options));
        }
      }),
      { numRuns: 200 },
    );
  });

  test("any set of kublk's mode flags is what the same features are", async () => {
    const modes = fc.record({
      features: fc.subarray<Feature>(['SUPPORT_ZERO_COPY', 'NEED_GET_DATA', 'USER_COPY', 'AUTO_BUF_REG', 'BATCH_IO']),
      autoZcFallback: fc.boolean(),
      dataPath: fc.option(fc.constantFrom('copy', 'auto_zc', 'batch+zero_copy', 'nope')),
    });
    const flags: Partial<Record<Feature, string>> = {
      SUPPORT_ZERO_COPY: '-z',
      NEED_GET_DATA: '-g',
      USER_COPY: '-u',
      AUTO_BUF_REG: '--auto_zc',
      BATCH_IO: '-b',
    };
    await fc.assert(
      fc.asyncProperty(modes, async (mode) => {
        const { features, autoZcFallback, dataPath } = mode;
        const words = features.map((feature) => flags[feature] ?? '');
        const line = [
          ...words,
          ...flagged(autoZcFallback, '--auto_zc_fallback'),
          ...flagged(dataPath !== null, `--data_path ${dataPath}`),
        ];
        assert.deepEqual(outcomeOf(await parsed(line)), outcomeOf(asked(mode)));
      }),
      { numRuns: 200 },
    );
  });

  test('-b --nthreads 4 and --data_path batch+copy --nthreads 4 are one device', () => {
    const spec = outcomeOf(asked({ features: ['BATCH_IO'], threads: 4 })) as DeviceSpec;
    assert.equal(spec.threads, 4);
    assert.deepEqual(outcomeOf(asked({ dataPath: 'batch+copy', threads: 4 })), spec);
  });
});

describe('a device that was resolved', () => {
  test('is resolved again to itself, from its record too', () => {
    fc.assert(
      fc.property(meanings, fc.subarray([...FEATURE_NAMES]), (meant, missing) => {
        const driver = FeatureSet.all.without(...missing);
        const spec = outcomeOf(inFeatures(meant), driver);
        if (typeof spec === 'string') return;
        const stored = JSON.parse(JSON.stringify(spec)) as DeviceSpec;
        assert.deepEqual(outcomeOf(optionsFor(stored, 3), driver), spec);
      }),
    );
  });

  test('gets no more queues than the kernel grants, and no thread without one', () => {
    const granted = { features: FeatureSet.all, queues: 2, depth: 64, maxIoBufBytes: 4096, ioDescSize: 24 };
    const threads = (options: Partial<AddOptions>) =>
      resolve(asked({ queues: 4, ...options }), nullTarget, FeatureSet.all, granted).threads;
    assert.equal(threads({}), 2);
    assert.equal(threads({ threads: 4 }), 2);
    assert.equal(threads({ features: ['BATCH_IO'] }), 2);
    assert.equal(threads({ features: ['BATCH_IO'], threads: 4 }), 4);
    assert.equal(threads({ perIoTasks: true, threads: 3 }), 3);
    const spec = resolve(asked({ queues: 4 }), nullTarget, FeatureSet.all, granted);
    assert.deepEqual([spec.queues, spec.depth, spec.maxIoBufBytes], [2, 64, 4096]);
  });

  test('has none of the features that the driver took back', () => {
    const granted = { features: FeatureSet.none, queues: 2, depth: 128, maxIoBufBytes: 4096, ioDescSize: 24 };
    const options = asked({ features: ['UNPRIVILEGED_DEV'] });
    assert.deepEqual(resolve(options, nullTarget, FeatureSet.all, granted).features, []);
  });
});

function asked(options: Partial<AddOptions>): AddOptions {
  return { ...ADD_DEFAULTS, target: 'null', ...options };
}

async function parsed(words: readonly string[]): Promise<AddOptions> {
  const line = ['-t null', ...words]
    .join(' ')
    .split(' ')
    .filter((word) => word !== '');
  const { flags } = await parse(normaliseArgv(line, Add.flags), { flags: Add.flags, args: Add.args });
  return addRequest(flags, []);
}

/** The device, or the words of the refusal. */
function outcomeOf(options: AddOptions, driver = FeatureSet.all): DeviceSpec | string {
  try {
    return resolve(options, nullTarget, driver);
  } catch (error) {
    assert.ok(error instanceof UblkError);
    return `${error.message}; ${error.hint}`;
  }
}

function flagged<Word>(isMeant: boolean, word: Word): Word[] {
  return isMeant ? [word] : [];
}

function often(value: boolean): fc.Arbitrary<boolean> {
  return fc.constantFrom(value, value, value, !value);
}
