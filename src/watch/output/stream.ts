/** The monitor without a terminal: a line of JSON an interval. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { MonitorEvent } from '../model/events.ts';
import { jsonLine } from './json-lines.ts';
import { Sampler } from '../sampling/sampler.ts';
import { Watch } from '../watch.ts';

export interface StreamOptions {
  readonly device?: number | undefined;
  readonly intervalMs: number;
  /** Lines to write; undefined: until nobody reads them. */
  readonly count?: number | undefined;
  readonly output: Writable;
}

/** Each line covers an interval, so that the first comes after one. */
export async function streamSamples({ device, intervalMs, count, output }: StreamOptions): Promise<void> {
  const watch = new Watch(new Sampler(), { device, intervalMs });
  const finished = Promise.withResolvers<void>();
  let left = count ?? Number.POSITIVE_INFINITY;
  let told: readonly MonitorEvent[] = watch.picture.events;
  const unsubscribe = watch.subscribe(() => {
    const { picture } = watch;
    // A slow reader gets fewer lines, never a growing heap of old ones.
    if (output.writableNeedDrain) return;
    output.write(jsonLine(picture, newEvents(told, picture.events)));
    told = picture.events;
    left--;
    if (left <= 0) finished.resolve();
  });
  // `| head -1` has what it wanted.
  const gone = (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? finished.resolve() : finished.reject(error));
  output.on('error', gone);
  watch.start();
  try {
    await Promise.race([finished.promise, watch.failed]);
    if (output.writableNeedDrain && !output.destroyed) await once(output, 'drain');
  } finally {
    unsubscribe();
    output.off('error', gone);
    watch.stop();
  }
}

/** Events are kept as they are, but for the last, whose count may have grown. */
function newEvents(told: readonly MonitorEvent[], now: readonly MonitorEvent[]): MonitorEvent[] {
  return now.filter((event) => !told.includes(event));
}
