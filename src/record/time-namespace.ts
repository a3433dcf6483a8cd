/**
 * What the time namespace of this process adds to the times since boot that it is shown (time_namespaces(7)). The start of one process
 * is another number in each of them: to be compared, it is written down and read as the first namespace has it.
 */
import { readText } from '../native/kernel-files.ts';

const TICKS_PER_SECOND = 100;
const NANOSECONDS_PER_TICK = 1e9 / TICKS_PER_SECOND;

/** Clock ticks; 0 in the first namespace, and where the kernel has none of them. */
export function addedTicks(): number {
  const [, seconds = '0', nanoseconds = '0'] =
    /^boottime\s+(-?\d+)\s+(\d+)$/m.exec(readText('/proc/self/timens_offsets') ?? '') ?? [];
  return Number(seconds) * TICKS_PER_SECOND + Math.floor(Number(nanoseconds) / NANOSECONDS_PER_TICK);
}
