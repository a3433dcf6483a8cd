/** Numbers for people: at most three digits, a unit, and at most eight columns. */

const DECIMAL = ['', 'k', 'M', 'G', 'T', 'P'] as const;

/** A count: `0`, `7.5`, `950`, `12.3k`, `1.20M`. */
export function count(value: number): string {
  if (value === 0) return '0';
  if (value < 9.95) return Number.isInteger(value) ? String(value) : value.toFixed(1);
  return scaled(value, 1000, DECIMAL);
}

/** Bytes with a unit, in powers of 1000 as usual for rates: `48.2 MB`. */
export function bytes(value: number): string {
  if (value < 1000) return `${Math.round(value)} B`;
  const text = scaled(value, 1000, DECIMAL);
  return `${text.slice(0, -1)} ${text.slice(-1)}B`;
}

/** Megabytes (10^6) without the unit, for a column: `48.2`, `0.05`. */
export function megabytes(value: number): string {
  const mega = value / 1e6;
  if (mega === 0) return '0';
  if (mega < 0.01) return '<0.01';
  return mega < 9.995 ? mega.toFixed(2) : mega < 99.95 ? mega.toFixed(1) : count(Math.round(mega));
}

/** Milliseconds without the unit, for a column; `-` when nothing completed. */
export function milliseconds(value: number | null): string {
  if (value === null) return '-';
  if (value < 9.995) return value.toFixed(2);
  return value < 99.95 ? value.toFixed(1) : count(Math.round(value));
}

/** A time with its unit: `12 µs`, `3.4 ms`. `micro` is the sign that the terminal has for micro. */
export function duration(us: number, micro: string): string {
  if (us < 999.5) return `${us < 9.95 ? us.toFixed(1) : Math.round(us)} ${micro}s`;
  if (us < 999_500) return `${significant(us / 1000)} ms`;
  return `${significant(us / 1e6)} s`;
}

/** `-` when there is nothing to have a part of. */
export function percent(share: number | null): string {
  if (share === null) return '-';
  // 100% means all, and 0% means none; a share between them is written as neither.
  if (share > 0.99 && share < 1) return '99%';
  if (share > 0 && share < 0.01) return '<1%';
  return `${Math.round(share * 100)}%`;
}

/** A span of time: `45 s`, `12:30`, `3:02:11`, `5 d 3 h`. */
export function clockSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 48) return `${hours}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

export function timeOfDay(wallMs: number): string {
  const date = new Date(wallMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
}

/** `1 s`, `250 ms`. */
export function interval(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let power = 0;
  let amount = value;
  while (amount >= base - 0.5 && power + 1 < units.length) {
    amount /= base;
    power++;
  }
  return power === 0 ? String(Math.round(amount)) : `${significant(amount)}${units[power]}`;
}

function significant(value: number): string {
  return value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : String(Math.round(value));
}
