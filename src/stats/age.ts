/** Seconds since a moment, both in milliseconds since 1970; 0 where the system's clock has been set back behind it. */
export function secondsSince(sinceMs: number, nowMs: number): number {
  return Math.max(0, (nowMs - sinceMs) / 1000);
}
