/**
 * A screen as SVG. Letters are text; blocks, bars and shades are drawn, as no two fonts agree about them.
 */
import type { Cell } from './cells.ts';

const WIDTH = 8.4;
const HEIGHT = 18;
const MARGIN = 16;
const TITLE = 36;
const BASELINE = 13.5;

const BACKGROUND = '#0d1117';
const DEFAULT = '#d6dde6';
/** The first eight of a terminal's palette, and their bright twins. */
const PALETTE = [
  '#484f58',
  '#ff7b72',
  '#3fb950',
  '#e3b341',
  '#58a6ff',
  '#bc8cff',
  '#39c5cf',
  '#d6dde6',
  '#6e7681',
  '#ffa198',
  '#56d364',
  '#f0d070',
  '#79c0ff',
  '#d2a8ff',
  '#56d4dd',
  '#ffffff',
];

export function drawSvg(rows: readonly (readonly Cell[])[], title: string): string {
  const width = Math.ceil((rows[0]?.length ?? 0) * WIDTH + 2 * MARGIN);
  const height = Math.ceil(rows.length * HEIGHT + TITLE + MARGIN);
  const lights = ['#ff5f57', '#febc2e', '#28c840'].map(
    (colour, at) => `<circle cx="${MARGIN + 6 + at * 20}" cy="18" r="6" fill="${colour}"/>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="10" fill="${BACKGROUND}"/>`,
    ...lights,
    `<text x="${width / 2}" y="22" text-anchor="middle" font-family="sans-serif" font-size="13" fill="#8b949e">${escape(title)}</text>`,
    `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14">`,
    ...rows.flatMap((row, y) => drawRow(row, TITLE + y * HEIGHT)),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function drawRow(row: readonly Cell[], top: number): string[] {
  return runsOf(row).map(({ cells, x }) => {
    const [first] = cells;
    if (first === undefined) return '';
    const left = MARGIN + x * WIDTH;
    const shape = shapeOf(first.text);
    const fill = colourOf(first);
    const dim = first.dim ? ' opacity="0.55"' : '';
    if (shape !== undefined) {
      const { height = 1, width = 1, from = 1 - height, shade = 1 } = shape;
      const box = `x="${fixed(left)}" y="${fixed(top + from * HEIGHT)}" width="${fixed((cells.length - 1 + width) * WIDTH)}" height="${fixed(height * HEIGHT)}"`;
      return `<rect ${box} fill="${fill}"${first.dim ? dim : shade < 1 ? ` opacity="${shade}"` : ''}/>`;
    }
    const text = cells.map((cell) => cell.text).join('');
    const weight = first.bold ? ' font-weight="bold"' : '';
    const length = `textLength="${fixed(cells.length * WIDTH)}" lengthAdjust="spacingAndGlyphs"`;
    return `<text x="${fixed(left)}" y="${fixed(top + BASELINE)}" ${length} xml:space="preserve" fill="${fill}"${weight}${dim}>${escape(text)}</text>`;
  });
}

/** Neighbours that look alike are drawn together; blanks are not drawn. */
function runsOf(row: readonly Cell[]): { x: number; cells: Cell[] }[] {
  const runs: { x: number; cells: Cell[] }[] = [];
  for (const [x, cell] of row.entries()) {
    const last = runs.at(-1);
    if (last !== undefined && last.x + last.cells.length === x && alike(last.cells[0], cell)) last.cells.push(cell);
    else if (cell.text !== ' ') runs.push({ x, cells: [cell] });
  }
  return runs.map(({ x, cells }) => ({
    x,
    cells: cells.slice(0, cells.findLastIndex(({ text }) => text !== ' ') + 1),
  }));
}

function alike(a: Cell | undefined, b: Cell): boolean {
  if (a === undefined || a.colour !== b.colour || a.bold !== b.bold || a.dim !== b.dim) return false;
  const [left, right] = [shapeOf(a.text), shapeOf(b.text)];
  if (left === undefined) return right === undefined;
  return a.text === b.text && (left.width ?? 1) === 1;
}

interface Shape {
  /** Parts of a cell. */
  readonly width?: number;
  readonly height?: number;
  /** Top edge; default: it stands on the bottom. */
  readonly from?: number;
  readonly shade?: number;
}

function shapeOf(text: string): Shape | undefined {
  const code = text.codePointAt(0) ?? 0;
  // Lower eighths, then left eighths from seven down to one.
  if (code >= 0x2581 && code <= 0x2588) return { height: (code - 0x2580) / 8 };
  if (code >= 0x2589 && code <= 0x258f) return { width: (0x2590 - code) / 8 };
  if (code >= 0x2591 && code <= 0x2593) return { shade: [0.3, 0.5, 0.75][code - 0x2591] ?? 1 };
  if (text === '─') return { height: 0.06, from: 0.5 };
  return undefined;
}

function colourOf({ colour }: Cell): string {
  return colour === null ? DEFAULT : (PALETTE[colour] ?? DEFAULT);
}

function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
