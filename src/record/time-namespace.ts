/**
 * The offset of the time namespace of this process: what the kernel adds to a time since boot before the process sees it
 * (time_namespaces(7)). So each namespace sees another number for the start of one process. To be compared, the start is written
 * down and read without the offset, as the first namespace has it.
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
