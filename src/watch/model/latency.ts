/** Percentiles and sums of latency histograms, whose buckets are powers of two (stats/layout.ts, LATENCY_BUCKETS). */
import type { Histogram } from '../../stats/reader.ts';

export interface Percentiles {
  /** Microseconds; 0 when the request was completed in the batch that it came in, which is not timed. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export function countOf({ buckets }: Histogram): number {
  return buckets.reduce((sum, count) => sum + count, 0);
}

/** Returns null when nothing was counted. */
export function percentilesOf(histogram: Histogram): Percentiles | null {
  if (countOf(histogram) === 0) return null;
  return { p50: percentile(histogram, 0.5), p99: percentile(histogram, 0.99), p999: percentile(histogram, 0.999) };
}

/** The time, in microseconds, below which `part` (0..1) of the requests lie. Times count as evenly spread in a bucket. */
export function percentile(histogram: Histogram, part: number): number {
  const wanted = countOf(histogram) * part;
  let seen = 0;
  for (const [bucket, count] of histogram.buckets.entries()) {
    if (count > 0 && seen + count >= wanted) {
      const [from, to] = boundsUs(bucket);
      return bucket === 0 ? 0 : from + ((to - from) * (wanted - seen)) / count;
    }
    seen += count;
  }
  return 0;
}

/** The times that a bucket counts, in microseconds: `from` is included, `to` is not. */
export function boundsUs(bucket: number): readonly [from: number, to: number] {
  return bucket === 0 ? [0, 1] : [2 ** (bucket - 1), 2 ** bucket];
}

/** One histogram with the counts of all. */
export function sumOf(...histograms: readonly Histogram[]): Histogram {
  const length = Math.max(0, ...histograms.map(({ buckets }) => buckets.length));
  return {
    buckets: Array.from({ length }, (_, at) => histograms.reduce((sum, { buckets }) => sum + (buckets[at] ?? 0), 0)),
    sumUs: histograms.reduce((sum, { sumUs }) => sum + sumUs, 0),
  };
}
