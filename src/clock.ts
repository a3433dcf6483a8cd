/**
 * Milliseconds on a clock that only goes forward, for the bounds of waits. `performance.now()` is the same clock; Node
 * loads a library for it that takes as many instructions as a command of ours (docs/decisions/0016).
 */
export function milliseconds(): number {
  return process.uptime() * 1000;
}
