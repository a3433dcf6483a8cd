/** The figures of iostat, with its names and definitions. */
import { rate, type Span } from './spans.ts';

/** r_await: mean time from submission to completion in milliseconds; null when nothing completed. */
export function readAwait({ block }: Span): number | null {
  return block.reads === 0 ? null : block.readMs / block.reads;
}

/** w_await: the same for writes. */
export function writeAwait({ block }: Span): number | null {
  return block.writes === 0 ? null : block.writeMs / block.writes;
}

/** aqu-sz: how many requests were in flight, on average. */
export function meanInFlight(span: Span): number {
  return rate(span.block.queueMs / 1000, span);
}

/** %util as 0..1: the part of the time with at least one request in flight. */
export function utilisation(span: Span): number {
  return Math.min(1, rate(span.block.busyMs / 1000, span));
}
