/** Words for what a target's own code has thrown: the message, with the line of the file that it came from. */
import { basename } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { packagePath } from '../../package-root.ts';
import { oneLine } from '../../text/one-line.ts';
import { shortened } from '../../text/shortened.ts';

const MOST_CHARACTERS = 2000;
const UNREADABLE = 'it threw something that throws when it is looked at';

/**
 * Returns the value that code of a target has thrown. If reading it throws too (a getter, a proxy), returns an Error that says so.
 * Every `catch` around code of a target calls this first, and can read the properties of the error afterwards.
 */
export function readable(thrown: unknown): unknown {
  try {
    // Whatever is read of it later.
    if (thrown instanceof Error) void [`${thrown.name}${thrown.message}${thrown.stack}`, thrown.cause];
    if (typeof thrown === 'object' && thrown !== null && 'code' in thrown) void thrown.code;
    return thrown;
  } catch {
    return new Error(UNREADABLE);
  }
}

/** `file`: the target's file, an absolute path. Never throws, whatever a target throws. */
export function describeThrown(thrown: unknown, file: string): string {
  try {
    return thrown instanceof Error ? describeError(thrown, file) : `it threw ${told(inspected(thrown))}`;
  } catch {
    return UNREADABLE;
  }
}

/** Throws with a value that does so when it is looked at. Tells more than `shown` does: the author of the target debugs it by this. */
function inspected(thrown: unknown): string {
  return typeof thrown === 'string' ? thrown : inspect(thrown, { breakLength: Number.POSITIVE_INFINITY });
}

function told(text: string): string {
  return oneLine(shortened(text, MOST_CHARACTERS));
}

function describeError(thrown: Error, file: string): string {
  const name = thrown.name === 'Error' ? '' : thrown.name;
  const message = [name, thrown.message, ...causesOf(thrown)].filter((part) => part !== '').join(': ');
  const place = placeOf(thrown, file);
  return place === null ? told(message) : `${told(message)} (${place})`;
}

/** How many causes of an error are told. */
const CAUSES = 3;

/** The messages of the errors that have caused this one. Of `fetch failed`, only the cause says why. */
function causesOf(thrown: Error, most = CAUSES): string[] {
  // An attempt at each address of a host has failed: the first one stands for them.
  const cause: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown.cause;
  if (!(cause instanceof Error) || most === 0) return [];
  const isTold = cause.message === '' || thrown.message.includes(cause.message);
  return [...(isTold ? [] : [cause.message]), ...causesOf(cause, most - 1)];
}

/** `ram.ts:12:7`, or null where the stack names no file of the target's. */
export function placeOf(thrown: Error, file: string): string | null {
  const stack = thrown.stack ?? '';
  const url = escaped(pathToFileURL(file).href);
  const own = new RegExp(`(?:${url}|${escaped(file)}):(\\d+)(?::(\\d+))?`).exec(stack);
  if (own !== null) return place(file, own[1], own[2]);
  // A module that the target imports.
  const other = /(file:\/\/\/[^\s)]+?):(\d+)(?::(\d+))?/.exec(stack);
  if (other?.[1] === undefined || other[1].startsWith(pathToFileURL(packagePath('dist')).href)) return null;
  return place(fileURLToPath(other[1]), other[2], other[3]);
}

function place(file: string, line: string | undefined, column: string | undefined): string {
  return [basename(file), line, column].filter((part) => part !== undefined).join(':');
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
