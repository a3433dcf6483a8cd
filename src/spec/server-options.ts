/** What a resident server can be asked to be. The name is part of the names of files in /run/ublkts. */
import { usageError } from '../errors.ts';
import { COUNT, type Kind, listOf, requireNames } from '../kinds.ts';
import { shown } from '../text/shown.ts';
import { option } from './option-names.ts';
import { MAX_THREADS } from './options.ts';

/** The name of a resident server that was given none. */
export const DEFAULT_SERVER = 'main';

export interface ServerOptions {
  /** The most threads that serve queues of several devices; 0: every device has threads of its own. */
  readonly threads: number;
  /** CPUs that these threads may run on; empty: all. */
  readonly cpus: readonly number[];
}

export const SERVER_DEFAULTS: ServerOptions = { threads: 0, cpus: [] };

/** The name that `text` says: an empty one is the default. Throws a UblkError for a name that no server can have. */
export function serverName(text: string): string {
  if (text === '') return DEFAULT_SERVER;
  if (typeof text === 'string' && /^[\w][\w.-]{0,31}$/.test(text)) return text;
  throw usageError(
    `${shown(text)} cannot be the name of a server`,
    'a name has up to 32 letters, digits, dots, dashes and underscores, and begins with a letter, a digit or an underscore',
  );
}

const CPUS: Kind = listOf(COUNT);

/** Throws a UblkError for what no server can be. A program in JavaScript may have given anything. */
export function checkServerOptions(options: ServerOptions): void {
  requireNames(options, { name: '', ...SERVER_DEFAULTS }, 'a server');
  const { threads, cpus } = options;
  if (!COUNT.is(threads) || threads > MAX_THREADS) {
    throw usageError(
      `a server cannot have ${shown(threads)} shared threads`,
      `from 0 to ${MAX_THREADS} are possible; with 0, every device has threads of its own`,
    );
  }
  if (!CPUS.is(cpus)) {
    throw usageError(
      [option('cpus'), ` cannot be ${shown(cpus)}`],
      'it is an array of the numbers of CPUs, such as [0, 2]; an empty one means all',
    );
  }
}

/** The options in a text that `JSON.stringify` has made of them; what is not there, or is something else, is the default. */
export function parseServerOptions(text: string): ServerOptions {
  const value = parse(text);
  if (typeof value !== 'object' || value === null) return SERVER_DEFAULTS;
  const { threads, cpus }: { threads?: unknown; cpus?: unknown } = value;
  return {
    threads: isCount(threads) && threads <= MAX_THREADS ? threads : SERVER_DEFAULTS.threads,
    cpus: Array.isArray(cpus) ? cpus.filter(isCount) : SERVER_DEFAULTS.cpus,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
