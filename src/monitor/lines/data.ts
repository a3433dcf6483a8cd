/** How the data of a device travels: a bar, its legend, and a sentence. Pure. */
import { stack } from '../drawing/charts.ts';
import { bytes, count, percent } from '../../text/numbers.ts';
import type { Glyphs } from '../drawing/glyphs.ts';
import {
  DATA_WAYS,
  type DataWay,
  dataRequests,
  type DeviceView,
  type Period,
  wayShare,
} from '../../watch/model/picture.ts';
import { fit, type Piece, piece, widthOf, wrap } from '../drawing/pieces.ts';
import { rate } from '../../watch/model/spans.ts';
import { verdictOf } from '../../watch/model/verdict.ts';

/** The bar shows the share of each way; a device that is not known to be ours has the sentence only. */
export function dataLines(device: DeviceView, period: Period, width: number, glyphs: Glyphs): Piece[][] {
  const span = device.spans[period];
  const verdict = verdictOf(device, period);
  const text = verdict.wantsBuffer ? `${verdict.text} The key b does so too.` : verdict.text;
  const sentences = wrap(text, width).map((line) => [piece(line, verdict.severity, verdict.severity !== 'neutral')]);
  if (device.target === null) return sentences;
  const amounts = DATA_WAYS.map((way) => span.server.ways[way].requests);
  const cells = stack(amounts, width);
  const drawn = DATA_WAYS.map((way, at) => piece(glyphs[way].repeat(cells[at] ?? 0), way));
  const stacked = dataRequests(span) === 0 ? [piece(glyphs.track.repeat(width), 'quiet')] : drawn;
  return [stacked, legend(device, period, width, glyphs), ...sentences];
}

const WAY_WORDS: Readonly<Record<DataWay, string>> = {
  matched: 'matched',
  registered: 'registered',
  copied: 'copied',
};

/** `registered` is left out for a data path that never registers pages. */
function legend({ spans, registers }: DeviceView, period: Period, width: number, glyphs: Glyphs): Piece[] {
  const span = spans[period];
  const ways = DATA_WAYS.filter((way) => way !== 'registered' || registers);
  const entry = (way: DataWay, detailed: boolean): Piece[] => {
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
  const join = (detailed: boolean) => ways.flatMap((way) => [...entry(way, detailed), piece('    ')]);
  const detailed = join(true);
  return fit(widthOf(detailed) <= width + 4 ? detailed : join(false), width);
}
