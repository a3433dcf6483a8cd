/**
 * The start report: what a new server says on descriptor 3, once, to the process that started it. It is one line of
 * JSON: the device is ready, or the error that prevented it. A blank comes before it, as soon as the server's script runs.
 */
import { UblkError } from '../errors.ts';
import { decodeError, encodeError, type WireError } from './error-wire.ts';

export type StartReport =
  /** `notes`: what the server has to do without, and what is not as one might expect; each is a sentence. */
  { readonly ready: true; readonly notes: readonly string[] } | { readonly ready: false; readonly error: UblkError };

type WireReport =
  | { readonly ready: true; readonly notes: readonly string[] }
  | { readonly ready: false; readonly error: WireError };

/** JSON may begin with it. */
export const RUNS = ' ';

export function encodeStartReport(report: StartReport): string {
  const wire: WireReport = report.ready ? report : { ready: false, error: encodeError(report.error) };
  return `${JSON.stringify(wire)}\n`;
}

/** The report in what has come so far; null while its line is not complete. A line that is no report is an error's. */
export function decodeStartReport(text: string): StartReport | null {
  const end = text.indexOf('\n');
  if (end < 0) return null;
  const value = parse(text.slice(0, end));
  if (typeof value !== 'object' || value === null || !('ready' in value)) return garbled();
  if (value.ready === true && 'notes' in value && isSentences(value.notes)) return { ready: true, notes: value.notes };
  return value.ready === false && 'error' in value ? { ready: false, error: decodeError(value.error) } : garbled();
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function isSentences(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((note) => typeof note === 'string');
}

function garbled(): StartReport {
  return {
    ready: false,
    error: new UblkError('the start report of the server cannot be read', { code: 'EBADMSG' }),
  };
}
