/**
 * What travels without a copy and what does not: every request is counted as what it was, and none is missing. fio's
 * memory is the shared buffer or its own, over block sizes, depths and directions.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { DeviceReport, IoReport } from '../../src/device/report/report.ts';
import { lockDevice } from '../../tools/guest/device-lock.ts';
import { fio } from '../../tools/guest/fio.ts';
import { type HugeFile, hugeFile } from '../../tools/guest/hugetlbfs.ts';
import { tidied } from '../../tools/guest/tidied.ts';
import { describeDevice, leavesNothingBehind, skip, withDevice } from './guest.ts';
import { LONG } from './support/long.ts';

const REQUESTS = 500;
const DIRECTIONS = ['randwrite', 'randread'] as const;

interface Cell {
  readonly bs: string;
  readonly iodepth: number;
  readonly rw: (typeof DIRECTIONS)[number];
}

const SIZES = [
  ['4k', 1],
  ['64k', 32],
  ...(LONG
    ? ([
        ['4k', 32],
        ['64k', 1],
      ] as const)
    : []),
] as const;

const CELLS: readonly Cell[] = SIZES.flatMap(([bs, iodepth]) => DIRECTIONS.map((rw) => ({ bs, iodepth, rw })));

describe('matched and copied', { skip, timeout: 600_000 }, () => {
  leavesNothingBehind();

  test('with a buffer that can be written, both directions match', () =>
    withBuffer(false, async (device, buffer) => {
      for (const cell of CELLS) await expectAll('matched', device, cell, buffer);
    }));

  test('memory that is not the buffer is copied', () =>
    withBuffer(false, async (device) => {
      for (const cell of CELLS) await expectAll('copied', device, cell);
    }));

  test('with a read-only buffer writes match and reads are copied', () =>
    withBuffer(true, async (device, buffer) => {
      for (const cell of CELLS) {
        await expectAll(cell.rw === 'randwrite' ? 'matched' : 'copied', device, cell, buffer);
      }
    }));
});

async function withBuffer(
  readOnly: boolean,
  use: (device: DeviceReport, buffer: HugeFile) => Promise<void>,
): Promise<void> {
  // fio rounds what it maps up to whole huge pages, after adding one of its own.
  const buffer = hugeFile(8);
  const buffers = [{ path: buffer.path, readOnly }];
  await tidied(
    () =>
      withDevice({ target: 'null', features: ['SHMEM_ZC'], buffers }, async (device) => {
        const lock = await lockDevice(device.path);
        try {
          await use(device, buffer);
          // From the first request on: those of the partition scan too.
          assert.deepEqual(counted(await ioOf(device)), blockLayer(device));
          assert.deepEqual((await describeDevice(device.id)).buffers?.[0]?.matched, (await ioOf(device)).matched);
        } finally {
          await lock.release();
        }
      }),
    buffer.remove,
  );
}

async function expectAll(
  way: 'matched' | 'copied',
  device: DeviceReport,
  cell: Cell,
  buffer?: HugeFile,
): Promise<void> {
  const before = await ioOf(device);
  const mem = buffer === undefined ? {} : { mem: `mmaphuge:${buffer.path}` };
  const result = await fio(device.path, { ...cell, ...mem, number_ios: REQUESTS, size: '256M', norandommap: true });
  assert.equal(result.error, 0, `${JSON.stringify(cell)}: ${result.stderr}`);
  const after = await ioOf(device);
  const requests = (kind: 'matched' | 'copied'): number => after[kind].requests - before[kind].requests;
  const bytes = after[way].bytes - before[way].bytes;
  const other = way === 'matched' ? 'copied' : 'matched';
  assert.deepEqual(
    { [way]: requests(way), [other]: requests(other), bytes },
    { [way]: REQUESTS, [other]: 0, bytes: result.reads.bytes + result.writes.bytes },
    JSON.stringify(cell),
  );
}

async function ioOf({ id }: DeviceReport): Promise<IoReport> {
  const { io } = await describeDevice(id);
  assert.ok(io, `device ${id} has counters`);
  return io;
}

interface Total {
  readonly requests: number;
  readonly bytes: number;
}

function counted({ matched, copied, registered }: IoReport): Total {
  return {
    requests: matched.requests + copied.requests + registered.requests,
    bytes: matched.bytes + copied.bytes + registered.bytes,
  };
}

/** /sys/block/NAME/stat, as Documentation/block/stat.rst describes it. */
function blockLayer({ path }: DeviceReport): Total {
  const stat = readFileSync(path.replace('/dev/', '/sys/block/').concat('/stat'), 'utf8');
  const fields = stat.trim().split(/\s+/).map(Number);
  const [reads, , readSectors, , writes, , writtenSectors, , , , , discards, , discardedSectors, , flushes] = fields;
  return {
    requests: reads! + writes! + discards! + flushes!,
    bytes: 512 * (readSectors! + writtenSectors! + discardedSectors!),
  };
}
