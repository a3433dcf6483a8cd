/** Numbers for a person: three digits that matter, a unit, and never wider than eight characters. */

const DECIMAL = ['', 'k', 'M', 'G', 'T', 'P'] as const;

/** `0`, `7.5`, `950`, `12.3k`, `1.20M`. */
export function count(value: number): string {
  if (value === 0) return '0';
  if (value < 9.95) return Number.isInteger(value) ? String(value) : value.toFixed(1);
  return scaled(value, 1000, DECIMAL);
}

/** Bytes, in powers of 1000 as rates are given: `48.2 MB`. */
export function bytes(value: number): string {
  if (value < 1000) return `${Math.round(value)} B`;
  const text = scaled(value, 1000, DECIMAL);
  return `${text.slice(0, -1)} ${text.slice(-1)}B`;
}

/** A column of MB: `48.2`, `0.05`. */
export function megabytes(value: number): string {
  const mega = value / 1e6;
  if (mega === 0) return '0';
  if (mega < 0.01) return '<0.01';
  return mega < 9.995 ? mega.toFixed(2) : mega < 99.95 ? mega.toFixed(1) : count(Math.round(mega));
}

/** A column of milliseconds; `-` where nothing completed. */
export function milliseconds(value: number | null): string {
  if (value === null) return '-';
  if (value < 9.995) return value.toFixed(2);
  return value < 99.95 ? value.toFixed(1) : count(Math.round(value));
}

/** A time with its unit: `12 µs`, `3.4 ms`. `micro` is how the terminal writes micro. */
export function duration(us: number, micro: string): string {
  if (us < 999.5) return `${us < 9.95 ? us.toFixed(1) : Math.round(us)} ${micro}s`;
  if (us < 999_500) return `${significant(us / 1000)} ms`;
  return `${significant(us / 1e6)} s`;
}

export function percent(share: number | null): string {
  if (share === null) return '-';
  // 99.96 % is not all of it, and 0.04 % is not none.
  if (share > 0.99 && share < 1) return '99%';
  if (share > 0 && share < 0.01) return '<1%';
  return `${Math.round(share * 100)}%`;
}

/** `45 s`, `12:30`, `3:02:11`, `5 d 3 h`. */
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

/** `every 1 s`, `every 250 ms`. */
export function interval(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}

/** Keeps the end, which says more in a path. */
export function keepEnd(text: string, width: number, ellipsis: string): string {
  return text.length <= width ? text : `${ellipsis}${text.slice(text.length - width + ellipsis.length)}`;
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
