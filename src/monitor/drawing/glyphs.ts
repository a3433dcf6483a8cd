/** The characters that bars, charts and frames are drawn with. The ASCII set is for terminals and locales without UTF-8. */
import { hasUtf8 } from '../../text/charset.ts';

export interface Glyphs {
  /** A full cell of a bar. */
  readonly bar: string;
  /** Parts of a cell, from the thinnest to the thickest. */
  readonly barParts: readonly string[];
  readonly track: string;
  /** One cell for each way in which data travels; they differ without colour too. */
  readonly matched: string;
  readonly registered: string;
  readonly copied: string;
  /** The heights of a column, from empty to full. */
  readonly levels: readonly string[];
  readonly heat: readonly string[];
  readonly pointer: string;
  readonly rule: string;
  readonly times: string;
  readonly dot: string;
  readonly ellipsis: string;
  readonly micro: string;
  readonly up: string;
  readonly down: string;
  readonly border: 'round' | 'classic';
}

export const UNICODE: Glyphs = {
  bar: '█',
  barParts: ['▏', '▎', '▍', '▌', '▋', '▊', '▉'],
  track: '·',
  matched: '█',
  registered: '▓',
  copied: '░',
  levels: [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  heat: ['·', '░', '▒', '▓', '█'],
  pointer: '▸',
  rule: '─',
  times: '×',
  dot: '·',
  ellipsis: '…',
  micro: 'µ',
  up: '▲',
  down: '▼',
  border: 'round',
};

export const ASCII: Glyphs = {
  bar: '#',
  barParts: [],
  track: '.',
  matched: '#',
  registered: '=',
  copied: '-',
  levels: [' ', '_', ':', '-', '=', '+', '*', '%', '#'],
  heat: ['.', ':', '+', '*', '#'],
  pointer: '>',
  rule: '-',
  times: 'x',
  dot: '-',
  ellipsis: '~',
  micro: 'u',
  up: '^',
  down: 'v',
  border: 'classic',
};

export function glyphsFor(env: Readonly<Record<string, string | undefined>>): Glyphs {
  // The kernel's console has 256 or 512 characters, and no parts of cells among them.
  return hasUtf8(env) && env['TERM'] !== 'linux' ? UNICODE : ASCII;
}
