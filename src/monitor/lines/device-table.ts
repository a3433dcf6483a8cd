/** The table of devices. Pure. */
import type { DeviceView, Period } from '../../watch/model/picture.ts';
import type { Glyphs } from '../drawing/glyphs.ts';
import { fit, type Piece, piece } from '../drawing/pieces.ts';
import type { Screen } from '../screen.ts';
import { type DeviceColumn, fittingColumns } from './device-columns.ts';
import { pointer, type Table } from './table.ts';

const GAP = piece('  ');

export function deviceTable(
  devices: readonly DeviceView[],
  selected: DeviceView | undefined,
  { period, sort, reversed }: Screen,
  width: number,
  glyphs: Glyphs,
): Table {
  const columns = fittingColumns(width);
  const heading = columns.flatMap((column) => headingOf(column, period, sort === column.key, reversed, glyphs));
  const row = (index: number): Piece[] => {
    const device = devices[index]!;
    const pointed = device.id === selected?.id;
    const cells = columns.flatMap((column, at) => [
      ...(at === 0 ? [] : [GAP]),
      ...fit(column.cell(device, period, glyphs, column.width), column.width, column.align),
    ]);
    return [pointer(pointed, glyphs), ...cells];
  };
  return {
    heading: [piece('  '), ...heading.slice(1)],
    rowCount: devices.length,
    row,
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
