/** Registered buffers: as a table, as lines below their device, and as a strip of where they are hit. Pure. */
import { formatSize } from '../../sizes.ts';
import type { DeviceView, Period } from '../../watch/model/picture.ts';
import { rate } from '../../watch/model/spans.ts';
import { levels } from '../drawing/charts.ts';
import { bytes, count, percent } from '../../text/numbers.ts';
import type { Glyphs } from '../drawing/glyphs.ts';
import { fit, type Ink, keepEnd, type Piece, piece } from '../drawing/pieces.ts';
import type { Screen, ShownBuffer } from '../screen.ts';
import { pointer, type Table } from './table.ts';

const GAP = piece('  ');
const BUFFER_COLUMNS = { index: 6, device: 8, size: 7, mode: 10, hits: 10, bytes: 12, share: 6 } as const;
const NARROW_COLUMNS = { index: 3, device: 7, size: 6, mode: 4, hits: 7, bytes: 8, share: 6 } as const;
const NARROW = 110;
const HEAT_WIDTH = 32;

/** The table of buffers. On a narrow terminal it has no room for the heat strips. */
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
  const line = (at: number): Piece[] => {
    const { device, buffer } = buffers[at]!;
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
  };
  return { heading, rowCount: buffers.length, row: line, pointed };
}

function headCell(text: string, width: number, align: 'left' | 'right' = 'left'): Piece[] {
  return [...fit([piece(text, 'quiet', true)], width, align), GAP];
}

function cell(text: string, width: number, ink?: Ink, align: 'left' | 'right' = 'left'): Piece[] {
  return [...fit([piece(text, ink)], width, align), GAP];
}

/** A strip that shows which parts of the buffer are hit, relative to the part that is hit most; the first byte is left. */
export function heatPieces(heat: readonly number[], glyphs: Glyphs, width = HEAT_WIDTH): Piece[] {
  const strip = heat.length === 0 ? (glyphs.heat[0] ?? '').repeat(width) : levels(heat, Math.max(...heat), glyphs.heat);
  return [piece('|', 'quiet'), piece(strip, heat.some((hits) => hits > 0) ? 'matched' : 'quiet'), piece('|', 'quiet')];
}

/** Where there is less room, a cell stands for several parts. */
const SHORT_HEAT_WIDTH = 16;

function shortened(heat: readonly number[]): number[] {
  const parts = heat.length / SHORT_HEAT_WIDTH;
  return Array.from({ length: heat.length === 0 ? 0 : SHORT_HEAT_WIDTH }, (_, cell) =>
    heat.slice(Math.floor(cell * parts), Math.floor((cell + 1) * parts)).reduce((sum, hits) => sum + hits, 0),
  );
}

/** One line per buffer, for the view of its device. */
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
