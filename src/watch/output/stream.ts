/** The monitor without a terminal: one line of JSON per interval. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { MonitorEvent } from '../model/events.ts';
import { Sampler } from '../sampling/sampler.ts';
import { Watch } from '../watch.ts';
import { jsonLine } from './json-lines.ts';

export interface StreamOptions {
  readonly device?: number | undefined;
  readonly intervalMs: number;
  /** How many lines to write; undefined: until the reader closes its end. */
  readonly count?: number | undefined;
  readonly output: Writable;
}

/** Each line covers an interval, so the first line comes after one. */
export async function streamSamples({ device, intervalMs, count, output }: StreamOptions): Promise<void> {
  const watch = await Watch.open(new Sampler(), { device, intervalMs });
  const finished = Promise.withResolvers<void>();
  let left = count ?? Number.POSITIVE_INFINITY;
  let told: readonly MonitorEvent[] = watch.picture.events;
  const unsubscribe = watch.subscribe(() => {
    const { picture } = watch;
    // A slow reader gets fewer lines; they do not pile up in memory.
    if (output.writableNeedDrain || left <= 0) return;
    output.write(jsonLine(picture, newEvents(told, picture.events)));
    told = picture.events;
    left--;
    if (left <= 0) finished.resolve();
  });
  // A reader such as `head -1` closes the pipe when it has enough. Any other error of stdout is reported by cli/output/unwritable.ts.
  const gone = () => finished.resolve();
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

/** An event whose count has grown is a new object, and is told again with its new count. */
function newEvents(told: readonly MonitorEvent[], now: readonly MonitorEvent[]): MonitorEvent[] {
  return now.filter((event) => !told.includes(event));
}
