/** Tables as lines of pieces: devices, buffers, events. Pure. */
import { formatSize } from '../../sizes.ts';
import { levels } from '../drawing/charts.ts';
import { type DeviceColumn, fittingColumns } from './device-columns.ts';
import type { MonitorEvent } from '../../watch/model/events.ts';
import { bytes, count, percent, timeOfDay } from '../drawing/format.ts';
import type { Glyphs } from '../drawing/glyphs.ts';
import type { DeviceView, Period } from '../../watch/model/picture.ts';
import { fit, type Ink, keepEnd, type Piece, piece } from '../drawing/pieces.ts';
import type { Screen, ShownBuffer } from '../screen.ts';
import { rate } from '../../watch/model/spans.ts';

const GAP = piece('  ');

export interface Table {
  readonly heading: readonly Piece[];
  readonly rows: readonly (readonly Piece[])[];
  /** Of `rows`; -1: none. */
  readonly pointed: number;
}

export function deviceTable(
  devices: readonly DeviceView[],
  selected: DeviceView | undefined,
  { period, sort, reversed }: Screen,
  width: number,
  glyphs: Glyphs,
): Table {
  const columns = fittingColumns(width);
  const heading = columns.flatMap((column) => headingOf(column, period, sort === column.key, reversed, glyphs));
  const rows = devices.map((device) => {
    const pointed = device.id === selected?.id;
    const cells = columns.flatMap((column, at) => [
      ...(at === 0 ? [] : [GAP]),
      ...fit(column.cell(device, period, glyphs, column.width), column.width, column.align),
    ]);
    return [pointer(pointed, glyphs), ...cells];
  });
  return {
    heading: [piece('  '), ...heading.slice(1)],
    rows,
    pointed: devices.findIndex(({ id }) => id === selected?.id),
  };
}

function headingOf(
  { heading, width, align }: DeviceColumn,
  period: Period,
  sorted: boolean,
  reversed: boolean,
  glyphs: Glyphs,
): Piece[] {
  const text = heading[period];
  // The arrow stands in the gap where the heading fills its column.
  const arrow = sorted ? (reversed ? glyphs.up : glyphs.down) : '';
  const words = fit([piece(text, sorted ? 'accent' : 'quiet', true)], width, align);
  const before = align === 'right' && arrow !== '' ? piece(` ${arrow}`, 'accent') : GAP;
  const filled = align === 'left' && arrow !== '' ? fit([piece(`${text}${arrow}`, 'accent', true)], width) : words;
  return [before, ...filled];
}

const BUFFER_COLUMNS = { index: 6, device: 8, size: 7, mode: 10, hits: 10, bytes: 12, share: 6 } as const;
const NARROW_COLUMNS = { index: 3, device: 7, size: 6, mode: 4, hits: 7, bytes: 8, share: 6 } as const;
const NARROW = 110;
const HEAT_WIDTH = 32;

/** The heat strip has a line of its own where the terminal is narrow. */
export function bufferTable(
  buffers: readonly ShownBuffer[],
  { period, row }: Screen,
  width: number,
  glyphs: Glyphs,
): Table {
  const total = period === 'total';
  const narrow = width < NARROW;
  const columns = narrow ? NARROW_COLUMNS : BUFFER_COLUMNS;
  const fixed = Object.values<number>(columns).reduce((sum, one) => sum + one + 2, 4);
  const heatBeside = width - fixed - HEAT_WIDTH - 2 >= 16;
  const sourceWidth = Math.max(8, width - fixed - (heatBeside ? HEAT_WIDTH + 2 : 0));
  const pointed = Math.min(row, buffers.length - 1);
  const heading = [
    piece('  '),
    ...headCell('DEVICE', columns.device),
    ...headCell(narrow ? 'BUF' : 'BUFFER', columns.index, 'right'),
    ...headCell('SIZE', columns.size, 'right'),
    ...headCell('MODE', columns.mode),
    ...headCell(total ? 'hits' : 'hits/s', columns.hits, 'right'),
    ...headCell(total ? 'data' : 'data/s', columns.bytes, 'right'),
    ...headCell('of I/O', columns.share, 'right'),
    ...headCell('SOURCE', sourceWidth),
    ...(heatBeside ? headCell('WHERE IT IS HIT', HEAT_WIDTH) : []),
  ];
  const rows = buffers.map(({ device, buffer }, at) => {
    const tally = buffer.tallies[period];
    const span = device.spans[period];
    const share = buffer.share[period];
    const amount = (value: number) => (total ? value : rate(value, span));
    const used: Ink | undefined = tally.requests > 0 ? undefined : 'quiet';
    const mode = narrow ? (buffer.readOnly ? 'ro' : 'rw') : buffer.readOnly ? 'read-only' : 'read-write';
    return [
      pointer(at === pointed, glyphs),
      ...cell(device.name, columns.device, 'accent'),
      ...cell(String(buffer.index), columns.index, undefined, 'right'),
      ...cell(formatSize(buffer.length), columns.size, undefined, 'right'),
      ...cell(mode, columns.mode, buffer.readOnly ? 'warning' : undefined),
      ...cell(count(amount(tally.requests)), columns.hits, used, 'right'),
      ...cell(bytes(amount(tally.bytes)), columns.bytes, used, 'right'),
      ...cell(percent(share), columns.share, (share ?? 0) > 0 ? 'matched' : 'quiet', 'right'),
      ...cell(keepEnd(buffer.source, sourceWidth, glyphs.ellipsis), sourceWidth),
      ...(heatBeside ? heatPieces(buffer.heat[period], glyphs) : []),
    ];
  });
  return { heading, rows, pointed };
}

function headCell(text: string, width: number, align: 'left' | 'right' = 'left'): Piece[] {
  return [...fit([piece(text, 'quiet', true)], width, align), GAP];
}

function cell(text: string, width: number, ink?: Ink, align: 'left' | 'right' = 'left'): Piece[] {
  return [...fit([piece(text, ink)], width, align), GAP];
}

/** Which parts of the buffer are hit, first byte left: relative to the part that is hit most. */
export function heatPieces(heat: readonly number[], glyphs: Glyphs, width = HEAT_WIDTH): Piece[] {
  const strip = heat.length === 0 ? (glyphs.heat[0] ?? '').repeat(width) : levels(heat, Math.max(...heat), glyphs.heat);
  return [piece('|', 'quiet'), piece(strip, heat.some((hits) => hits > 0) ? 'matched' : 'quiet'), piece('|', 'quiet')];
}

/** Where there is less room: a cell for each few parts. */
const SHORT_HEAT_WIDTH = 16;

function shortened(heat: readonly number[]): number[] {
  const parts = heat.length / SHORT_HEAT_WIDTH;
  return Array.from({ length: heat.length === 0 ? 0 : SHORT_HEAT_WIDTH }, (_, cell) =>
    heat.slice(Math.floor(cell * parts), Math.floor((cell + 1) * parts)).reduce((sum, hits) => sum + hits, 0),
  );
}

/** A line a buffer, for the view of its device. */
export function ownBufferLines({ buffers, spans }: DeviceView, period: Period, glyphs: Glyphs): Piece[][] {
  return (buffers ?? []).map(({ index, length, readOnly, tallies, heat, source }) => {
    const { requests } = tallies[period];
    const hits = period === 'total' ? count(requests) : `${count(rate(requests, spans[period]))}/s`;
    return [
      piece(`${index}`.padEnd(4), undefined, true),
      piece(formatSize(length).padStart(6)),
      piece(readOnly ? '  read-only ' : '  read-write', readOnly ? 'warning' : undefined),
      piece(hits.padStart(9), requests > 0 ? 'matched' : 'quiet'),
      piece('  '),
      ...heatPieces(shortened(heat[period]), glyphs, SHORT_HEAT_WIDTH),
      piece(`  ${source}`),
    ];
  });
}

/** In little, below something else; with their devices where they are of several. */
export function ownEventLines(events: readonly MonitorEvent[], named: boolean): Piece[][] {
  return events.map(({ wallMs, device, text, severity }) => [
    piece(`${timeOfDay(wallMs)}  `, 'quiet'),
    ...(named ? [piece(`ublkb${device}`.padEnd(8), 'accent')] : []),
    piece(text, severity),
  ]);
}

export function eventTable(events: readonly MonitorEvent[], { row }: Screen, width: number, glyphs: Glyphs): Table {
  const heading = [piece('  TIME      DEVICE    EVENT         WHAT', 'quiet', true)];
  const rows = events.map(({ wallMs, device, kind, text, severity }, at) =>
    fit(
      [
        pointer(at === Math.min(row, events.length - 1), glyphs),
        piece(`${timeOfDay(wallMs)}  `, 'quiet'),
        piece(`ublkb${device}`.padEnd(10), 'accent'),
        piece(kind.padEnd(14), severity, severity === 'bad'),
        piece(text),
      ],
      width,
    ),
  );
  return { heading, rows, pointed: Math.min(row, events.length - 1) };
}

/** The rows that fit, with the one pointed at among them, and how many there are besides. */
export function windowOf({ rows, pointed }: Table, height: number): readonly (readonly Piece[])[] {
  if (rows.length <= height) return rows;
  const shown = Math.max(1, height - 1);
  const from = Math.max(0, Math.min(pointed - Math.floor(shown / 2), rows.length - shown));
  const below = rows.length - from - shown;
  const hidden = [from > 0 ? `${from} above` : '', below > 0 ? `${below} below` : ''].filter((text) => text !== '');
  return [...rows.slice(from, from + shown), [piece(`  and ${hidden.join(', ')}`, 'quiet')]];
}

function pointer(shown: boolean, glyphs: Glyphs): Piece {
  return shown ? piece(`${glyphs.pointer} `, 'accent', true) : piece('  ');
}
