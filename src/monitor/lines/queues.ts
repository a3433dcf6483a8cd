/** The queues of a device, one line per queue, and lines placed side by side. Pure. */
import { bar } from '../drawing/charts.ts';
import { count } from '../../text/numbers.ts';
import type { Glyphs } from '../drawing/glyphs.ts';
import type { DeviceView, Period, QueueView } from '../../watch/model/picture.ts';
import { fit, type Ink, type Piece, piece } from '../drawing/pieces.ts';
import { rate } from '../../watch/model/spans.ts';

/** Each line has the depth of the queue against its limit, its rate, and a word on how busy it is. */
export function queueLines(device: DeviceView, period: Period, width: number, glyphs: Glyphs): Piece[][] {
  const busiest = busiestQueue(device.queues);
  const nameWidth = `queue ${Math.max(0, device.queues.length - 1)} `.length;
  // The figures and the word have fixed widths, and the bar takes the rest.
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

/** `waiting`: the queue holds requests, and none was completed in the interval. */
function queueWord({ id, inFlight, tallies }: QueueView, busiest: number | null): QueueWord {
  if (tallies.interval.requests === 0) return inFlight > 0 ? 'waiting' : 'idle';
  return id === busiest ? 'busiest' : 'busy';
}

/** The queue with most requests in the interval; null when two have as many. */
function busiestQueue(queues: readonly QueueView[]): number | null {
  if (queues.length < 2) return null;
  const [first, second] = [...queues].sort((a, b) => b.tallies.interval.requests - a.tallies.interval.requests);
  if (first === undefined || second === undefined) return null;
  return first.tallies.interval.requests > second.tallies.interval.requests ? first.id : null;
}

/** Places lines side by side, column by column, `rows` high; `from` is the first line that is shown. */
export function arrangeInColumns(
  lines: readonly Piece[][],
  rows: number,
  columnCount: number,
  from: number,
): Piece[][] {
  const start = Math.max(0, Math.min(from, lines.length - rows * columnCount));
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columnCount }, (_, column) => lines[start + column * rows + row] ?? []).flat(),
  );
}
