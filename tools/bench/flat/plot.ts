/**
 * Line plots as SVG text: log2 to the right, from 0 upwards, for light and dark pages. Pure; nothing here knows what is
 * plotted.
 */

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
  /** The words below a value. */
  readonly tick: (x: number) => string;
}

const PANEL = { width: 300, height: 190 };
/** The margins of the drawing inside its panel. */
const EDGE = { left: 52, right: 14, top: 34, bottom: 30 };
const COLUMNS = 2;
const HEAD = 34;
/** The largest number of steps between the lines of the grid. */
const STEPS = 4;

/** Colours by what they are for; a dark page gets the second. */
const STYLE = `<style>
text { font: 11px system-ui, sans-serif; fill: #57606a }
.title { font-weight: 600; fill: #1f2328 }
.grid { stroke: #d0d7de; stroke-width: 1 }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
.c0 { stroke: #0969da } .c1 { stroke: #bc4c00 }
.d0 { fill: #0969da } .d1 { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
text { fill: #9198a1 } .title { fill: #f0f6fc } .grid { stroke: #3d444d }
.c0 { stroke: #4493f8 } .c1 { stroke: #f0883e } .d0 { fill: #4493f8 } .d1 { fill: #f0883e }
}
</style>`;

export function drawPlots(heading: string, panels: readonly Panel[]): string {
  const width = COLUMNS * PANEL.width;
  const height = HEAD + Math.ceil(panels.length / COLUMNS) * PANEL.height;
  const names = [...new Set(panels.flatMap(({ lines }) => lines.map(({ name }) => name)))];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${escape(heading)}</title>`,
    STYLE,
    text(EDGE.left, 20, heading, 'class="title"'),
    ...names.flatMap((name, index) => legend(name, index, width - (names.length - index) * 70)),
    ...panels.map((panel, at) => {
      const [x, y] = [(at % COLUMNS) * PANEL.width, HEAD + Math.floor(at / COLUMNS) * PANEL.height];
      return `<g transform="translate(${x} ${y})">\n${drawPanel(panel, names)}\n</g>`;
    }),
    '</svg>',
    '',
  ].join('\n');
}

function legend(name: string, index: number, x: number): string[] {
  return [`<circle cx="${x}" cy="16" r="4" class="d${index}"/>`, text(x + 8, 20, name)];
}

function drawPanel({ title, lines, tick }: Panel, names: readonly string[]): string {
  const all = lines.flatMap(({ points }) => points);
  const xs = [...new Set(all.map(([x]) => x))].sort((a, b) => a - b);
  const step = niceStep(Math.max(...all.map(([, y]) => y)) / STEPS);
  const steps = Math.ceil(Math.max(...all.map(([, y]) => y)) / step);
  const right = scale(
    [Math.log2(xs[0] ?? 1), Math.log2(xs.at(-1) ?? 1)],
    [EDGE.left + 6, PANEL.width - EDGE.right - 6],
  );
  const up = scale([0, steps * step], [PANEL.height - EDGE.bottom, EDGE.top]);
  const at = ([x, y]: readonly [number, number]): [number, number] => [fixed(right(Math.log2(x))), fixed(up(y))];
  return [
    text(EDGE.left, 22, title, 'class="title"'),
    ...Array.from({ length: steps + 1 }, (_, index) => gridLine(index * step, fixed(up(index * step)))),
    ...xs.map((x) => text(fixed(right(Math.log2(x))), PANEL.height - EDGE.bottom + 15, tick(x), MIDDLE)),
    ...lines.map(({ name, points }) => drawLine(points.map(at), names.indexOf(name))),
  ].join('\n');
}

const MIDDLE = 'text-anchor="middle"';

function gridLine(value: number, y: number): string {
  const line = `<path class="grid" d="M${EDGE.left} ${y}H${PANEL.width - EDGE.right}"/>`;
  return `${line}${text(EDGE.left - 6, y + 4, short(value), 'text-anchor="end"')}`;
}

function drawLine(points: readonly (readonly [number, number])[], colour: number): string {
  const path = points.map(([x, y]) => `${x} ${y}`).join('L');
  const dots = points.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2.5" class="d${colour}"/>`);
  return `<path class="line c${colour}" d="M${path}"/>${dots.join('')}`;
}

/** 1, 2 or 5 times a power of ten, and not below `least`. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power;
}

/** 25000 -> 25k, 1500000 -> 1.5M. */
export function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1000 ? `${value / 1000}k` : String(value);
}

/** A single value is drawn in the middle. */
function scale([from, to]: readonly [number, number], [low, high]: readonly [number, number]) {
  return (value: number): number =>
    to === from ? (low + high) / 2 : low + ((value - from) / (to - from)) * (high - low);
}

function text(x: number, y: number, words: string, attributes = ''): string {
  return `<text x="${x}" y="${y}"${attributes === '' ? '' : ` ${attributes}`}>${escape(words)}</text>`;
}

function fixed(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
