/** The device view, section by section, as lines of pieces. Pure. */
import { formatSize } from '../sizes.ts';
import { bar, columns, levels, stack } from './charts.ts';
import { meanInFlight, readAwait, utilisation, writeAwait } from './figures.ts';
import { bytes, clockSpan, count, duration, milliseconds, percent } from './format.ts';
import type { Glyphs } from './glyphs.ts';
import { boundsUs, countOf, percentilesOf, sumOf } from './latency.ts';
import {
  DATA_WAYS,
  type DataWay,
  dataRequests,
  type DeviceView,
  type HistoryPoint,
  type Period,
  type QueueView,
  wayShare,
} from './model.ts';
import { firstFitting, fit, type Ink, type Piece, piece, widthOf, wrap } from './pieces.ts';
import { rate, type Span } from './spans.ts';
import { verdictOf } from './verdict.ts';
import type { Histogram } from '../stats/reader.ts';

type Line = Piece[];

/** Who it is, and how it is doing: two lines. */
export function factLines(device: DeviceView, period: Period, width: number, glyphs: Glyphs): Line[] {
  const { state } = device;
  const who = firstFitting([whoPieces(device, true, glyphs), whoPieces(device, false, glyphs)], width);
  if (state.trouble !== null) return [[...who], [piece(sentence(state.trouble), state.tone, true)]];
  const span = device.spans[period];
  const figures =
    period === 'total'
      ? totalPieces(span)
      : firstFitting([ratePieces(device, span, true), ratePieces(device, span, false)], width);
  return [[...who], [...figures]];
}

function whoPieces(device: DeviceView, wordy: boolean, glyphs: Glyphs): Line {
  const { name, state, target, files, sizeBytes, queueCount, queueDepth, serverPid, upMs, dataPath, features } = device;
  const sharing = features.includes('SHMEM_ZC') ? 'shmem_zc + ' : '';
  const facts = [
    target === null ? "another program's" : [target, ...files].join(' '),
    formatSize(sizeBytes),
    wordy ? `${queueCount} queues ${glyphs.times} ${queueDepth} requests` : `${queueCount}${glyphs.times}${queueDepth}`,
    ...(dataPath === null ? [] : [`${sharing}${dataPath}`]),
    serverPid > 0 ? `${wordy ? 'server ' : ''}pid ${serverPid}` : 'no server',
    ...(upMs === null ? [] : [`up ${clockSpan(upMs)}`]),
  ];
  const dot = piece(` ${glyphs.dot} `, 'quiet');
  return [
    piece(`/dev/${name} `, 'accent', true),
    piece(`${state.word}  `, state.tone, true),
    ...facts.flatMap((fact, at) => (at === 0 ? [piece(fact)] : [dot, piece(fact)])),
  ];
}

const number = (text: string) => piece(text, undefined, true);
const label = (text: string) => piece(text, 'quiet');

function ratePieces({ inFlight }: DeviceView, span: Span, wordy: boolean): Line {
  const { reads, writes, readBytes, writtenBytes } = span.block;
  return [
    number(count(rate(reads, span))),
    label(' r/s  '),
    number(count(rate(writes, span))),
    label(' w/s  '),
    number(`${bytes(rate(readBytes + writtenBytes, span))}/s`),
    label('  in flight '),
    number(String(inFlight)),
    ...(wordy ? [label(', mean '), number(meanInFlight(span).toFixed(1))] : []),
    label('  wait '),
    ...waitPieces(span),
    label('  busy '),
    number(percent(utilisation(span))),
    ...(span.server.errors > 0 ? [piece(`  ${count(span.server.errors)} failed`, 'bad', true)] : []),
  ];
}

function totalPieces(span: Span): Line {
  const { reads, writes, readBytes, writtenBytes } = span.block;
  return [
    label('in total: '),
    number(count(reads)),
    label(` reads, ${bytes(readBytes)}; `),
    number(count(writes)),
    label(` writes, ${bytes(writtenBytes)}; `),
    piece(`${count(span.server.errors)} failed`, span.server.errors > 0 ? 'bad' : 'quiet', true),
  ];
}

function waitPieces(span: Span): Line {
  const [read, write] = [readAwait(span), writeAwait(span)];
  if (read === null || write === null) return [number(milliseconds(read ?? write)), label(' ms')];
  return [label('r '), number(milliseconds(read)), label(' w '), number(milliseconds(write)), label(' ms')];
}

/** A line a queue: its depth against the limit, its rates, and which of them is the busy one. */
export function queueLines(device: DeviceView, period: Period, width: number, glyphs: Glyphs): Line[] {
  const busiest = busiestQueue(device.queues);
  const nameWidth = `queue ${Math.max(0, device.queues.length - 1)} `.length;
  // A figure and a word need their room, the bar has the rest.
  const room = Math.max(4, Math.min(64, width - nameWidth - 38));
  return device.queues.map((queue) => {
    const { depth, limit, inFlight, tallies } = queue;
    const tally = tallies[period];
    const share = limit === 0 ? 0 : depth / limit;
    const { filled, rest } = bar(share, room, glyphs);
    const ink: Ink = share >= 0.95 ? 'warning' : 'accent';
    const figure =
      depth === 0 ? '0' : depth < 9.95 && !Number.isInteger(depth) ? depth.toFixed(1) : String(Math.round(depth));
    const span = device.spans[period];
    const requests = period === 'total' ? count(tally.requests) : `${count(rate(tally.requests, span))}/s`;
    const word = queueWord(queue, busiest);
    return fit(
      [
        piece(`queue ${queue.id}`.padEnd(nameWidth), word === 'idle' ? 'quiet' : undefined),
        piece(filled, ink),
        piece(rest, 'quiet'),
        piece(` ${figure.padStart(4)}`, depth === 0 ? 'quiet' : undefined, depth > 0),
        piece(` of ${limit}`.padEnd(9), 'quiet'),
        piece(requests.padStart(9), tally.requests === 0 ? 'quiet' : undefined),
        piece(`  ${word}`, word === 'idle' ? 'quiet' : word === 'waiting' ? 'warning' : 'good', word === 'busiest'),
        piece(word === 'waiting' ? ` (${inFlight})` : '', 'warning'),
      ],
      width,
    );
  });
}

type QueueWord = 'busiest' | 'busy' | 'waiting' | 'idle';

/** Waiting: it holds requests, and none was done in the interval. */
function queueWord({ id, inFlight, tallies }: QueueView, busiest: number | null): QueueWord {
  if (tallies.interval.requests === 0) return inFlight > 0 ? 'waiting' : 'idle';
  return id === busiest ? 'busiest' : 'busy';
}

/** The one with most requests; null when there is no such one. */
function busiestQueue(queues: readonly QueueView[]): number | null {
  if (queues.length < 2) return null;
  const [first, second] = [...queues].sort((a, b) => b.tallies.interval.requests - a.tallies.interval.requests);
  if (first === undefined || second === undefined) return null;
  return first.tallies.interval.requests > second.tallies.interval.requests ? first.id : null;
}

/** Side by side, column by column, `rows` high; `from` is the first row that is shown. */
export function arrangeInColumns(lines: readonly Line[], rows: number, columnCount: number, from: number): Line[] {
  const start = Math.max(0, Math.min(from, lines.length - rows * columnCount));
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columnCount }, (_, column) => lines[start + column * rows + row] ?? []).flat(),
  );
}

/** A bar of all data by the way it travelled, what each way is, and what that means. */
export function dataLines(device: DeviceView, period: Period, width: number, glyphs: Glyphs): Line[] {
  const span = device.spans[period];
  const verdict = verdictOf(device, period);
  const sentences = wrap(verdict.text, width).map((line) => [piece(line, verdict.tone, verdict.tone !== 'neutral')]);
  if (device.target === null) return sentences;
  const amounts = DATA_WAYS.map((way) => span.server.ways[way].requests);
  const cells = stack(amounts, width);
  const drawn = DATA_WAYS.map((way, at) => piece(glyphs[way].repeat(cells[at] ?? 0), way));
  const stacked = dataRequests(span) === 0 ? [piece(glyphs.track.repeat(width), 'quiet')] : drawn;
  return [stacked, legend(span, period, width, glyphs), ...sentences];
}

const WAY_WORDS: Readonly<Record<DataWay, string>> = {
  matched: 'matched',
  registered: 'registered',
  copied: 'copied',
};

function legend(span: Span, period: Period, width: number, glyphs: Glyphs): Line {
  const entry = (way: DataWay, detailed: boolean): Line => {
    const tally = span.server.ways[way];
    const share = wayShare(way, span);
    const amount = period === 'total' ? count(tally.requests) : `${count(rate(tally.requests, span))}/s`;
    const moved = period === 'total' ? bytes(tally.bytes) : `${bytes(rate(tally.bytes, span))}/s`;
    const figures = tally.requests === 0 ? '' : detailed ? `  ${amount}  ${moved}` : `  ${amount}`;
    return [
      piece(`${glyphs[way]} `, way),
      piece(`${WAY_WORDS[way]} ${percent(share)}`, share === null || share === 0 ? 'quiet' : way, (share ?? 0) > 0),
      piece(figures),
    ];
  };
  const join = (detailed: boolean) => DATA_WAYS.flatMap((way) => [...entry(way, detailed), piece('    ')]);
  const detailed = join(true);
  return fit(widthOf(detailed) <= width + 4 ? detailed : join(false), width);
}

export interface Chart {
  readonly label: string;
  readonly ink: Ink;
  readonly value: (point: HistoryPoint) => number;
  readonly text: (value: number) => string;
}

const perSecond = (value: number) => `${count(value)}/s`;

/** Requests, bytes, and each way that data has travelled of late. */
export function chartsOf({ history, target }: DeviceView): Chart[] {
  const ways: Chart[] = [
    { label: 'matched', ink: 'matched', value: ({ matched }) => matched, text: perSecond },
    { label: 'registered', ink: 'registered', value: ({ registered }) => registered, text: perSecond },
    { label: 'copied', ink: 'copied', value: ({ copied }) => copied, text: perSecond },
  ];
  return [
    { label: 'requests', ink: 'accent', value: ({ requests }) => requests, text: perSecond },
    { label: 'data', ink: 'accent', value: ({ bytes }) => bytes, text: (value) => `${bytesText(value)}/s` },
    ...(target === null ? [] : ways.filter(({ value }) => history.some((point) => value(point) > 0))),
  ];
}

const bytesText = bytes;

const CHART_LABEL = 11;
const CHART_NOW = 11;
const CHART_MOST = 15;

export function chartLines(device: DeviceView, chart: Chart, width: number, height: number, glyphs: Glyphs): Line[] {
  const values = device.history.map(chart.value);
  const chartWidth = Math.max(8, width - CHART_LABEL - CHART_NOW - CHART_MOST);
  const top = Math.max(0, ...values.slice(-chartWidth));
  const rows = columns(values, { width: chartWidth, height, top }, glyphs);
  const now = values.at(-1) ?? 0;
  return rows.map((row, at) => {
    const last = at === rows.length - 1;
    return [
      piece((last ? chart.label : '').padEnd(CHART_LABEL), 'quiet'),
      piece(row, chart.ink),
      piece(last ? chart.text(now).padStart(CHART_NOW) : '', undefined, true),
      piece(last ? `  max ${chart.text(top)}` : '', 'quiet'),
    ];
  });
}

/** How far back the charts go. */
export function historyNote({ history }: DeviceView, width: number): string {
  const shown = history.slice(-Math.max(8, width - CHART_LABEL - CHART_NOW - CHART_MOST));
  const [first] = shown;
  const last = shown.at(-1);
  return first === undefined || last === undefined || first === last
    ? ''
    : `the last ${clockSpan(last.atMs - first.atMs)}`;
}

/** Percentiles of the time in the server, beside the whole trip as the client sees it. */
export function latencyLines(device: DeviceView, period: Period, width: number, glyphs: Glyphs): Line[] {
  const span = device.spans[period];
  const { read, write, other } = span.server.latency;
  if (device.target === null) {
    return [tripLine('read', null, readAwait(span), glyphs), tripLine('write', null, writeAwait(span), glyphs)];
  }
  const all = sumOf(read, write, other);
  return [
    tripLine('read', read, readAwait(span), glyphs),
    tripLine('write', write, writeAwait(span), glyphs),
    histogramStrip(all, width, glyphs),
  ];
}

function tripLine(kind: string, histogram: Histogram | null, awaitMs: number | null, glyphs: Glyphs): Line {
  const found = histogram === null ? null : percentilesOf(histogram);
  const time = (us: number) => (us === 0 ? 'at once' : duration(us, glyphs.micro)).padEnd(8);
  const server =
    found === null
      ? [label(histogram === null ? '' : 'p50 -         p99 -         p99.9 -         ')]
      : [
          label('p50 '),
          piece(time(found.p50)),
          label('  p99 '),
          piece(time(found.p99)),
          label('  p99.9 '),
          piece(time(found.p999)),
          label('  '),
        ];
  const trip = awaitMs === null ? '-' : duration(awaitMs * 1000, glyphs.micro);
  return [piece(kind.padEnd(6)), ...server, label('whole trip '), piece(trip)];
}

const STRIP_BUCKETS = 25;

/** All times in one row: a column a bucket, from "at once" to seconds. */
function histogramStrip(histogram: Histogram, width: number, glyphs: Glyphs): Line {
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

/** A row a bucket, those that have something and those between them. */
export function histogramLines(histogram: Histogram, width: number, rows: number, glyphs: Glyphs): Line[] {
  const total = countOf(histogram);
  const used = histogram.buckets.flatMap((value, bucket) => (value > 0 ? [bucket] : []));
  const [first = 0] = used;
  const last = used.at(-1) ?? 0;
  const barWidth = Math.max(4, Math.min(60, width - BUCKET_NAME - 8));
  const top = Math.max(1, ...histogram.buckets);
  return Array.from({ length: Math.min(rows, total === 0 ? 0 : last - first + 1) }, (_, at) => {
    const bucket = first + at;
    const value = histogram.buckets[bucket] ?? 0;
    const { filled, rest } = bar(value / top, barWidth, glyphs);
    return [
      piece(bucketName(bucket, glyphs).padEnd(BUCKET_NAME), 'quiet'),
      piece(filled, 'accent'),
      piece(' '.repeat(rest.length)),
      piece(value === 0 ? '' : percent(value / total).padStart(5)),
    ];
  });
}

function bucketName(bucket: number, { micro }: Glyphs): string {
  if (bucket === 0) return 'at once';
  const [from, to] = boundsUs(bucket);
  if (to <= 512) return `${from} - ${to} ${micro}s`;
  const unit = to <= 524_288 ? 1024 : 1_048_576;
  const text = (us: number) => (us / unit >= 1 ? String(Math.round(us / unit)) : (us / unit).toFixed(1));
  return `${text(from)} - ${text(to)} ${unit === 1024 ? 'ms' : 's'}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
