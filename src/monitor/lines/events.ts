/** Events: as a table, and as short lines below something else. Pure. */
import type { MonitorEvent } from '../../watch/model/events.ts';
import { timeOfDay } from '../../text/numbers.ts';
import type { Glyphs } from '../drawing/glyphs.ts';
import { fit, type Piece, piece } from '../drawing/pieces.ts';
import type { Screen } from '../screen.ts';
import { pointer, type Table } from './table.ts';

/** One short line per event, below something else; `named` adds the device, where events of several are shown. */
export function ownEventLines(events: readonly MonitorEvent[], named: boolean): Piece[][] {
  return events.map(({ wallMs, device, text, severity }) => [
    piece(`${timeOfDay(wallMs)}  `, 'quiet'),
    ...(named ? [piece(`ublkb${device}`.padEnd(8), 'accent')] : []),
    piece(text, severity),
  ]);
}

export function eventTable(events: readonly MonitorEvent[], { row }: Screen, width: number, glyphs: Glyphs): Table {
  const heading = [piece('  TIME      DEVICE    EVENT         WHAT', 'quiet', true)];
  const pointed = Math.min(row, events.length - 1);
  const line = (at: number): Piece[] => {
    const { wallMs, device, kind, text, severity } = events[at]!;
    const pieces = [
      pointer(at === pointed, glyphs),
      piece(`${timeOfDay(wallMs)}  `, 'quiet'),
      piece(`ublkb${device}`.padEnd(10), 'accent'),
      piece(kind.padEnd(14), severity, severity === 'bad'),
      piece(text),
    ];
    return fit(pieces, width);
  };
  return { heading, rowCount: events.length, row: line, pointed };
}
