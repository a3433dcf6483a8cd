/** The history of a device as charts. Pure. */
import { columns } from '../drawing/charts.ts';
import { bytes as bytesText, clockSpan, count } from '../../text/numbers.ts';
import type { Glyphs } from '../drawing/glyphs.ts';
import type { DeviceView, HistoryPoint } from '../../watch/model/picture.ts';
import { type Ink, type Piece, piece } from '../drawing/pieces.ts';

/** One chart: which figure it shows, and how that is drawn and written. */
export interface Chart {
  readonly label: string;
  readonly ink: Ink;
  readonly value: (point: HistoryPoint) => number;
  readonly text: (value: number) => string;
}

const perSecond = (value: number) => `${count(value)}/s`;

/** Requests, bytes, and each way in which data has travelled in the history. */
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

const CHART_LABEL = 11;
const CHART_NOW = 11;
const CHART_MOST = 15;

/** A chart of `height` rows: its name, its columns, the newest value, and the highest value shown. */
export function chartLines(device: DeviceView, chart: Chart, width: number, height: number, glyphs: Glyphs): Piece[][] {
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

/** Says how far back the charts go. */
export function historyNote({ history }: DeviceView, width: number): string {
  const shown = history.slice(-Math.max(8, width - CHART_LABEL - CHART_NOW - CHART_MOST));
  const [first] = shown;
  const last = shown.at(-1);
  return first === undefined || last === undefined || first === last
    ? ''
    : `the last ${clockSpan(last.atMs - first.atMs)}`;
}
