/** The figures of the wake-ups, and their bounds. Pure. */

/** What the handlers of test/fixtures/handlers.ts wait for, in the MiB of the disk in which each of them answers. */
export const ORIGINS = [
  { name: 'a microtask', at: 1 },
  { name: 'an immediate', at: 2 },
  { name: 'a timer', at: 3 },
  { name: 'a file read', at: 4 },
  { name: 'a socket', at: 5 },
  { name: "a worker's message", at: 6 },
] as const;

/** Processor time of a second in which promises wait and nothing else happens. */
export const MOST_IDLE_MS = 1;

/** One line of JSON of the guest. */
export interface WakeUps {
  readonly origin: string;
  readonly depth: number;
  readonly requests: number;
  readonly seconds: number;
}

export interface Idle {
  /** How many requests wait, each for something else. */
  readonly waiting: number;
  /** Processor time of all threads of the server in a second, in milliseconds: the median, the mean and the most. */
  readonly idleMs: number;
  readonly meanMs: number;
  readonly mostMs: number;
  /** How many seconds were looked at. */
  readonly seconds: number;
}

export function isWakeUps(value: unknown): value is WakeUps {
  return typeof value === 'object' && value !== null && 'origin' in value && 'seconds' in value;
}

export function isIdle(value: unknown): value is Idle {
  return typeof value === 'object' && value !== null && 'waiting' in value && 'idleMs' in value;
}

export function markdown(counts: readonly WakeUps[], idles: readonly Idle[]): string {
  const head = '| a promise is settled by | depth | requests | lost | seconds |\n|---|---:|---:|---:|---:|\n';
  const rows = counts.map(
    ({ origin, depth, requests, seconds }) =>
      `| ${[origin, depth, requests.toLocaleString('en-US'), 0, seconds.toFixed(0)].join(' | ')} |\n`,
  );
  const waiting = idles.map(
    ({ waiting, idleMs, meanMs, mostMs, seconds }) =>
      `\nWhile ${waiting} requests wait, each for something else, the threads of the server use ${idleMs.toFixed(2)} ms in a second (a million instructions are a millisecond): the median of ${seconds} seconds. The mean is ${meanMs.toFixed(2)} ms, and the most ${mostMs.toFixed(1)} ms.\n`,
  );
  return `${head}${rows.join('')}${waiting.join('')}`;
}
