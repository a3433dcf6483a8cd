/** One result in the forms that it can be printed in: kublk's text, a table, JSON. */
import { jsonDocument } from './json.ts';

export const FORMATS = ['kublk', 'table', 'json'] as const;
export type Format = (typeof FORMATS)[number];

/** The forms of one result; a function runs only when its form is printed. */
export interface Views {
  readonly json: object;
  readonly kublk: () => string;
  /** The form for a terminal. A result without one is printed as kublk's text there too. */
  readonly table?: () => string;
}

export function renderViews({ json, kublk, table }: Views, format: Format = preferredFormat()): string {
  if (format === 'json') return jsonDocument(json);
  return format === 'table' && table !== undefined ? table() : kublk();
}

/** The format of a command that was given none: a table on a terminal. */
export function preferredFormat(): Format {
  return process.stdout.isTTY ? 'table' : 'kublk';
}
