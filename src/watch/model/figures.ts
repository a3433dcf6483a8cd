/** iostat's figures, by its names and definitions. */
import { rate, type Span } from './spans.ts';

/** Milliseconds from submission to completion, the mean; null when nothing completed. */
export function readAwait({ block }: Span): number | null {
  return block.reads === 0 ? null : block.readMs / block.reads;
}

export function writeAwait({ block }: Span): number | null {
  return block.writes === 0 ? null : block.writeMs / block.writes;
}

/** Requests on their way, the mean over the time (aqu-sz). */
export function meanInFlight(span: Span): number {
  return rate(span.block.queueMs / 1000, span);
}

/** Part of the time, 0..1, with at least one request on its way. */
export function utilisation(span: Span): number {
  return Math.min(1, rate(span.block.busyMs / 1000, span));
}
