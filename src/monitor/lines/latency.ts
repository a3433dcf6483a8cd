/** How long requests take: percentiles, and a histogram in one row or in several. Pure. */
import { bar, levels } from '../drawing/charts.ts';
import { readAwait, writeAwait } from '../../watch/model/figures.ts';
import { duration, percent } from '../../text/numbers.ts';
import type { Glyphs } from '../drawing/glyphs.ts';
import { boundsUs, countOf, percentilesOf, sumOf } from '../../watch/model/latency.ts';
import type { DeviceView, Period } from '../../watch/model/picture.ts';
import { type Piece, piece } from '../drawing/pieces.ts';
import type { Histogram } from '../../stats/reader.ts';

/** The percentiles of the time in the server, beside the mean time that the client sees. */
export function latencyLines(device: DeviceView, period: Period, width: number, glyphs: Glyphs): Piece[][] {
  const span = device.spans[period];
  const { read, write, other } = span.server.latency;
  if (device.target === null) {
    return [timeLine('read', null, readAwait(span), glyphs), timeLine('write', null, writeAwait(span), glyphs)];
  }
  const all = sumOf(read, write, other);
  return [
    timeLine('read', read, readAwait(span), glyphs),
    timeLine('write', write, writeAwait(span), glyphs),
    histogramStrip(all, width, glyphs),
  ];
}

function timeLine(
  kind: 'read' | 'write',
  histogram: Histogram | null,
  awaitMs: number | null,
  glyphs: Glyphs,
): Piece[] {
  const found = histogram === null ? null : percentilesOf(histogram);
  const time = (us: number) => (us === 0 ? 'at once' : duration(us, glyphs.micro)).padEnd(8);
  const server =
    found === null
      ? [piece(histogram === null ? '' : 'p50 -         p99 -         p99.9 -         ', 'quiet')]
      : [
          piece('p50 ', 'quiet'),
          piece(time(found.p50)),
          piece('  p99 ', 'quiet'),
          piece(time(found.p99)),
          piece('  p99.9 ', 'quiet'),
          piece(time(found.p999)),
          piece('  ', 'quiet'),
        ];
  const mean = awaitMs === null ? '-' : duration(awaitMs * 1000, glyphs.micro);
  return [piece(kind.padEnd(6)), ...server, piece(`${kind.charAt(0)}_await `, 'quiet'), piece(mean)];
}

const STRIP_BUCKETS = 25;

/** All times in one row: a column a bucket, from "at once" to seconds. */
function histogramStrip(histogram: Histogram, width: number, glyphs: Glyphs): Piece[] {
  const shown = histogram.buckets.slice(0, STRIP_BUCKETS);
  const top = Math.max(0, ...shown);
  const wide = width >= 100 ? 2 : 1;
  const strip = shown.map((value) => levels([value], top, glyphs.levels).repeat(wide)).join('');
  return [
    piece('at once ', 'quiet'),
    piece(`|${strip}|`, 'accent'),
    piece(` ${duration(boundsUs(STRIP_BUCKETS - 1)[1], glyphs.micro)}`, 'quiet'),
  ];
}

const BUCKET_NAME = 14;

/** One row for what was completed at once, then the times in order: one bucket per row or, with few rows, several. */
export function histogramLines(histogram: Histogram, width: number, rows: number, glyphs: Glyphs): Piece[][] {
  const total = countOf(histogram);
  const shown = rowsOf(histogram, rows).map((row) => ({
    ...row,
    value: histogram.buckets.slice(row.first, row.last + 1).reduce((sum, count) => sum + count, 0),
  }));
  const barWidth = Math.max(4, Math.min(60, width - BUCKET_NAME - 8));
  const top = Math.max(1, ...shown.map(({ value }) => value));
  return shown.map(({ first, last, value }) => {
    const { filled, rest } = bar(value / top, barWidth, glyphs);
    return [
      piece(timesName(first, last, glyphs).padEnd(BUCKET_NAME), 'quiet'),
      piece(filled, 'accent'),
      piece(' '.repeat(rest.length)),
      piece(value === 0 ? '' : percent(value / total).padStart(5)),
    ];
  });
}

/** A row of the histogram counts the buckets from `first` to `last`. */
interface BucketRow {
  readonly first: number;
  readonly last: number;
}

function rowsOf({ buckets }: Histogram, rows: number): BucketRow[] {
  const atOnce: BucketRow[] = (buckets[0] ?? 0) > 0 ? [{ first: 0, last: 0 }] : [];
  const timed = buckets.flatMap((value, bucket) => (value > 0 && bucket > 0 ? [bucket] : []));
  const [from, to] = [timed[0] ?? 1, timed.at(-1) ?? 0];
  const together = Math.max(1, Math.ceil((to - from + 1) / Math.max(1, rows - atOnce.length)));
  const groups = Array.from({ length: Math.ceil((to - from + 1) / together) }, (_, at) => {
    const first = from + at * together;
    return { first, last: Math.min(to, first + together - 1) };
  });
  return [...atOnce, ...groups].slice(0, rows);
}

function timesName(first: number, last: number, { micro }: Glyphs): string {
  if (last === 0) return 'at once';
  const [from, to] = [boundsUs(first)[0], boundsUs(last)[1]];
  if (to <= 512) return `${from} - ${to} ${micro}s`;
  const unit = to <= 524_288 ? 1024 : 1_048_576;
  const text = (us: number) => (us / unit >= 1 ? String(Math.round(us / unit)) : (us / unit).toFixed(1));
  return `${text(from)} - ${text(to)} ${unit === 1024 ? 'ms' : 's'}`;
}
