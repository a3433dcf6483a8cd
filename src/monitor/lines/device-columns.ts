/** The columns of the table of devices: what they show, how they sort, and which of them fit. */
import { formatSize } from '../../sizes.ts';
import { bar, levels, stack } from '../drawing/charts.ts';
import { meanInFlight, readAwait, utilisation, writeAwait } from '../../watch/model/figures.ts';
import { count, megabytes, milliseconds, percent } from '../../text/numbers.ts';
import type { Glyphs } from '../drawing/glyphs.ts';
import { DATA_WAYS, dataRequests, type DeviceView, type Period, wayShare } from '../../watch/model/picture.ts';
import { keepEnd, type Piece, piece } from '../drawing/pieces.ts';
import { displayWidth } from '../../text/width.ts';
import { rate, type Span } from '../../watch/model/spans.ts';

export type ColumnKey =
  | 'device'
  | 'target'
  | 'state'
  | 'size'
  | 'shape'
  | 'path'
  | 'reads'
  | 'writes'
  | 'bytes'
  | 'readAwait'
  | 'writeAwait'
  | 'inFlight'
  | 'util'
  | 'queues'
  | 'matched';

export interface DeviceColumn {
  readonly key: ColumnKey;
  readonly heading: Readonly<Record<Period, string>>;
  readonly width: number;
  readonly align: 'left' | 'right';
  /** Columns with the highest number are left out first when there is no room; those with 0 always stay. */
  readonly expendable: number;
  readonly cell: (device: DeviceView, period: Period, glyphs: Glyphs, width: number) => readonly Piece[];
  /** Numbers are sorted from the largest, words from A. */
  readonly sortBy: (device: DeviceView, period: Period) => number | string;
}

/** The amount itself in totals, an amount per second in an interval. */
const amount = (value: number, span: Span, period: Period) => (period === 'total' ? value : rate(value, span));
const both = (text: string) => ({ interval: text, total: text });
const numeric = (text: string): Piece[] => [piece(text, text === '0' || text === '-' ? 'quiet' : undefined)];

const MATCH_BAR = 8;
/** Columns for the name of the most used way, where there is room for it. */
const MATCH_WORD = 11;
const MOST_QUEUES = 8;

export const DEVICE_COLUMNS: readonly DeviceColumn[] = [
  {
    key: 'device',
    heading: both('DEVICE'),
    width: 8,
    align: 'left',
    expendable: 0,
    cell: ({ name }) => [piece(name, 'accent')],
    sortBy: ({ id }) => -id,
  },
  {
    key: 'target',
    heading: both('TARGET'),
    width: 8,
    align: 'left',
    expendable: 0,
    cell: (device, _period, { ellipsis }, width) => [targetPiece(device, width, ellipsis)],
    sortBy: ({ target }) => target ?? '',
  },
  {
    key: 'state',
    heading: both('STATE'),
    width: 9,
    align: 'left',
    expendable: 0,
    cell: ({ state }) => [piece(state.word, state.severity, state.severity === 'bad')],
    sortBy: ({ state }) => state.word,
  },
  {
    key: 'size',
    heading: both('SIZE'),
    width: 6,
    align: 'right',
    expendable: 8,
    cell: ({ sizeBytes }) => numeric(sizeBytes === 0 ? '-' : formatSize(sizeBytes)),
    sortBy: ({ sizeBytes }) => sizeBytes,
  },
  {
    key: 'shape',
    heading: both('Q x D'),
    width: 7,
    align: 'right',
    expendable: 7,
    cell: ({ queueCount, queueDepth }, _period, { times }) =>
      queueCount === 0 ? [piece('-', 'quiet')] : [piece(`${queueCount}${times}${queueDepth}`)],
    sortBy: ({ queueCount, queueDepth }) => queueCount * queueDepth,
  },
  {
    key: 'path',
    heading: both('DATA PATH'),
    width: 13,
    align: 'left',
    expendable: 9,
    cell: ({ dataPath, sharedMemory }) =>
      dataPath === null ? [piece('-', 'quiet')] : [piece(sharedMemory ? `shmem+${dataPath}` : dataPath)],
    sortBy: ({ dataPath }) => dataPath ?? '',
  },
  {
    key: 'reads',
    heading: { interval: 'r/s', total: 'reads' },
    width: 6,
    align: 'right',
    expendable: 0,
    cell: ({ spans }, period) => numeric(count(amount(spans[period].block.reads, spans[period], period))),
    sortBy: ({ spans }, period) => amount(spans[period].block.reads, spans[period], period),
  },
  {
    key: 'writes',
    heading: { interval: 'w/s', total: 'writes' },
    width: 6,
    align: 'right',
    expendable: 0,
    cell: ({ spans }, period) => numeric(count(amount(spans[period].block.writes, spans[period], period))),
    sortBy: ({ spans }, period) => amount(spans[period].block.writes, spans[period], period),
  },
  {
    key: 'bytes',
    heading: { interval: 'MB/s', total: 'MB' },
    width: 6,
    align: 'right',
    expendable: 0,
    cell: (device, period) => numeric(megabytes(moved(device, period))),
    sortBy: moved,
  },
  {
    key: 'readAwait',
    heading: both('r_await'),
    width: 7,
    align: 'right',
    expendable: 4,
    cell: ({ spans }, period) => numeric(milliseconds(readAwait(spans[period]))),
    sortBy: ({ spans }, period) => readAwait(spans[period]) ?? 0,
  },
  {
    key: 'writeAwait',
    heading: both('w_await'),
    width: 7,
    align: 'right',
    expendable: 5,
    cell: ({ spans }, period) => numeric(milliseconds(writeAwait(spans[period]))),
    sortBy: ({ spans }, period) => writeAwait(spans[period]) ?? 0,
  },
  {
    key: 'inFlight',
    heading: both('aqu-sz'),
    width: 6,
    align: 'right',
    expendable: 6,
    cell: ({ spans: { interval } }) => numeric(meanInFlight(interval) === 0 ? '0' : meanInFlight(interval).toFixed(1)),
    sortBy: ({ spans: { interval } }) => meanInFlight(interval),
  },
  {
    key: 'util',
    heading: both('%util'),
    width: 5,
    align: 'right',
    expendable: 3,
    cell: ({ spans: { interval } }) => numeric(String(Math.round(utilisation(interval) * 100))),
    sortBy: ({ spans: { interval } }) => utilisation(interval),
  },
  {
    key: 'queues',
    heading: both('QUEUES'),
    width: MOST_QUEUES,
    align: 'left',
    expendable: 2,
    cell: queuesCell,
    sortBy: ({ queues }) => Math.max(0, ...queues.map(({ depth }) => depth)),
  },
  {
    key: 'matched',
    heading: both('MATCHED'),
    width: MATCH_BAR + 5,
    align: 'left',
    expendable: 0,
    cell: matchedCell,
    sortBy: ({ spans }, period) => wayShare('matched', spans[period]) ?? -1,
  },
];

const GAP = 2;
const POINTER = 2;

/** The room that the target's column has beyond its own width before the columns that tell the least are shown. */
const TARGET_FIRST = 12;
/** From this `expendable` on a column is one that tells little. */
const TELLS_LITTLE = 7;

/** The columns that fit into `width`; the room that is left goes to the target. */
export function fittingColumns(width: number): DeviceColumn[] {
  let columns = [...DEVICE_COLUMNS];
  const needed = () => columns.reduce((sum, column) => sum + column.width + GAP, POINTER - GAP);
  const wished = () => needed() + (columns.some(({ expendable }) => expendable >= TELLS_LITTLE) ? TARGET_FIRST : 0);
  while (wished() > width) {
    const worst = columns.reduce((a, b) => (b.expendable > a.expendable ? b : a));
    if (worst.expendable === 0) break;
    columns = columns.filter((column) => column !== worst);
  }
  const spare = Math.max(0, width - needed());
  const forWord = spare >= TARGET_FIRST + MATCH_WORD ? MATCH_WORD : 0;
  const forTarget = Math.min(40, spare - forWord);
  return columns.map((column) => {
    if (column.key === 'target') return { ...column, width: column.width + forTarget };
    return column.key === 'matched' ? { ...column, width: column.width + forWord } : column;
  });
}

/** Always the type, and as much of the names of its files, or of its URI, as there is room for. */
function targetPiece({ owner, target, sources }: DeviceView, width: number, ellipsis: string): Piece {
  if (target === null) return piece(owner === 'unknown' ? 'unknown' : '(other)', 'quiet');
  const room = width - displayWidth(target) - 1;
  // A target of somebody's own is the path of its file.
  if (sources.length === 0 || room < 6) return piece(keepEnd(target, width, ellipsis));
  return piece(`${target} ${keepEnd(sources.join(' '), room, ellipsis)}`);
}

/** One character per queue shows how full it is; as few queues are ever half full, on a square-root scale. */
function queuesCell({ queues }: DeviceView, _period: Period, glyphs: Glyphs): Piece[] {
  if (queues.length === 0) return [piece('-', 'quiet')];
  const shown = queues.length > MOST_QUEUES ? queues.slice(0, MOST_QUEUES - 1) : queues;
  const idle = glyphs.track;
  return [
    ...shown.map(({ depth, limit }) =>
      depth === 0 ? piece(idle, 'quiet') : piece(levels([Math.sqrt(depth)], Math.sqrt(limit), glyphs.levels), 'accent'),
    ),
    ...(shown.length < queues.length ? [piece(glyphs.ellipsis, 'quiet')] : []),
  ];
}

/** A small bar of how data travelled, and the share that matched if the device shares memory. */
function matchedCell(
  { spans, target, sharedMemory }: DeviceView,
  period: Period,
  glyphs: Glyphs,
  width: number,
): Piece[] {
  const span = spans[period];
  if (target === null) return [piece('not known', 'quiet')];
  if (dataRequests(span) === 0) return [piece(bar(0, MATCH_BAR, glyphs).rest, 'quiet')];
  const amounts = DATA_WAYS.map((way) => span.server.ways[way].requests);
  const cells = stack(amounts, MATCH_BAR);
  const drawn = DATA_WAYS.map((way, at) => piece(glyphs[way].repeat(cells[at] ?? 0), way));
  const most = DATA_WAYS[amounts.indexOf(Math.max(...amounts))] ?? 'copied';
  const word = width >= MATCH_BAR + 5 + MATCH_WORD ? ` ${most}` : '';
  if (!sharedMemory) return [...drawn, piece('     '), piece(word, most)];
  const share = percent(wayShare('matched', span)).padStart(5);
  return [...drawn, piece(share, share.trim() === '0%' ? 'warning' : 'good', true), piece(word, most)];
}

function moved({ spans }: DeviceView, period: Period): number {
  const { readBytes, writtenBytes } = spans[period].block;
  return amount(readBytes + writtenBytes, spans[period], period);
}

/** Devices that are equal in the column stay in the order of their ids. */
export function sortDevices(
  devices: readonly DeviceView[],
  key: ColumnKey,
  reversed: boolean,
  period: Period,
): DeviceView[] {
  const column = DEVICE_COLUMNS.find((candidate) => candidate.key === key);
  if (column === undefined) return [...devices];
  const sign = reversed ? -1 : 1;
  return [...devices].sort((a, b) => {
    const [left, right] = [column.sortBy(a, period), column.sortBy(b, period)];
    const order =
      typeof left === 'number' && typeof right === 'number' ? right - left : String(left).localeCompare(String(right));
    return order === 0 ? a.id - b.id : order * sign;
  });
}
