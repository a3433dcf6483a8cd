import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { benchTable, benchViews } from '../../src/cli/output/bench.ts';
import type { BenchReport, BenchRowReport } from '../../src/device/bench.ts';

const READ: BenchRowReport = {
  row: 'QD 128 4k read',
  iops: 123_456.7,
  bytes_per_second: 505_678_643,
  latency_us: { mean: 12.34, p50: 11, p99: 250.4 },
  matched: 0,
  registered: 0.004,
  copied: 0.996,
};
const FOREIGN = { matched: null, registered: null, copied: null };

function report(rows: readonly BenchRowReport[], changes: Partial<BenchReport> = {}): BenchReport {
  const target = { type: 'null', files: [], options: {} };
  return { device: 0, path: '/dev/ublkb0', target, data_path: 'copy', seconds: 5, rows, notes: [], ...changes };
}

test('there is one line per row, in 80 columns', () => {
  assert.equal(
    stripVTControlCharacters(benchTable(report([READ]))),
    [
      '/dev/ublkb0: null, copy, 5 s per row, latencies in us',
      'ROW               IOPS  MB/s  MEAN   P50  P99  MATCHED  REGISTERED  COPIED',
      'QD 128 4k read  123457   506  12.3  11.0  250       0%         <1%     99%',
      '',
    ].join('\n'),
  );
});

test('of a foreign server nobody knows how the data travelled', () => {
  const text = benchTable(report([{ ...READ, ...FOREIGN }], { target: null, data_path: null }));
  assert.match(stripVTControlCharacters(text), /^\/dev\/ublkb0: 5 s per row, [^]* - +- +-\n$/);
});

test('a terminal is told how to get the other rows', () => {
  const { table } = benchViews(report([READ]));
  assert.match(table?.() ?? '', /--write/);
  const all = benchViews(report([READ, { ...READ, row: 'QD 32 4k write' }]));
  assert.doesNotMatch(all.table?.() ?? '', /--write/);
});
