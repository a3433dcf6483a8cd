/** The characters that pictures are made of. The ASCII ones are for terminals and locales that know no others. */

export interface Glyphs {
  /** Full cell, then eighths of one from thinnest to thickest. */
  readonly bar: string;
  readonly barParts: readonly string[];
  readonly track: string;
  /** A cell for each way that data travels; told apart without colour too. */
  readonly matched: string;
  readonly registered: string;
  readonly copied: string;
  /** From nothing to full. */
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

/** As the C library decides what the locale's characters are. */
export function glyphsFor(env: Readonly<Record<string, string | undefined>>): Glyphs {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  // The kernel's console has 256 or 512 characters, and no eighths.
  return /utf-?8/i.test(locale) && env['TERM'] !== 'linux' ? UNICODE : ASCII;
}
