/** How the rows of the screen are divided among its parts. Pure: sizes in, sizes out. */

/** Rows around every view: the header and the tabs above it, the message and the keys below it. */
export const FRAME_ROWS = 4;

export interface DeviceLayout {
  /** Queues and data stand on the left, history and latency on the right. */
  readonly sideBySide: boolean;
  readonly columnWidth: number;
  /** Rows for the queues' bars, and how many bars stand side by side. */
  readonly queueRows: number;
  readonly queueColumns: number;
  /** Rows of each chart of the history. */
  readonly chartRows: number;
  /** Rows for the histogram; with 0 it is one row below the percentiles. */
  readonly histogramRows: number;
  /** Blank lines between sections. */
  readonly gap: 0 | 1;
  /** Rows left below the data, for the buffers and events of the device. */
  readonly spareRows: number;
}

const FACTS = 2;
const TITLE = 1;
/** The width from which each half has room for a line of percentiles. */
const SIDE_BY_SIDE_WIDTH = 142;
const QUEUE_CELL_WIDTH = 44;
const DATA_ROWS = 2;
const LATENCY_ROWS = 3;
const MOST_CHART_ROWS = 8;

export interface DeviceNeeds {
  readonly queues: number;
  readonly charts: number;
  readonly verdictRows: number;
}

export function deviceLayout(
  width: number,
  height: number,
  { queues, charts, verdictRows }: DeviceNeeds,
): DeviceLayout {
  const sideBySide = width >= SIDE_BY_SIDE_WIDTH;
  const columnWidth = sideBySide ? Math.floor((width - 3) / 2) : width;
  const left = TITLE + TITLE + DATA_ROWS + verdictRows;
  const right = TITLE + TITLE + LATENCY_ROWS;
  const room = height - FACTS;

  const smallest = left + right + charts + 1;
  const gap = sideBySide || room - smallest >= Math.min(queues, 4) + 3 ? 1 : 0;
  const gaps = sideBySide ? gap * 2 : gap * 4;
  const forQueues = sideBySide ? room - left - gaps : room - left - right - charts - gaps;
  const { rows: queueRows, columns: queueColumns } = arrangeQueues(queues, Math.max(1, forQueues), columnWidth);

  const below = right + charts + (sideBySide ? 2 * gap : left + gaps + queueRows);
  const spare = Math.max(0, room - below);
  // The histogram gets up to half of the spare rows, and the charts share the rest.
  const histogramRows = spare >= 8 ? Math.min(14, Math.floor(spare / 2)) : 0;
  const chartRows = Math.max(1, Math.min(MOST_CHART_ROWS, 1 + Math.floor((spare - histogramRows) / charts)));
  const spareRows = sideBySide ? Math.max(0, room - left - queueRows - gaps) : 0;
  return { sideBySide, columnWidth, queueRows, queueColumns, chartRows, histogramRows, gap, spareRows };
}

/** Queues stand below each other while there are rows, and then side by side while they are wide enough to read. */
function arrangeQueues(queues: number, rows: number, width: number): { rows: number; columns: number } {
  const most = Math.max(1, Math.floor(width / QUEUE_CELL_WIDTH));
  const columns = Math.min(most, Math.max(1, Math.ceil(queues / rows)));
  return { rows: Math.min(rows, Math.max(1, Math.ceil(queues / columns))), columns };
}
