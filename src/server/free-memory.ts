/**
 * Gives memory back that glibc keeps after it was freed. V8 allocates tens of megabytes while it optimizes a function.
 * The freed blocks lie between blocks that are still in use, and by itself glibc returns only the end of its heap. A
 * server of handlers had 43 to 53 MB of private memory after a warm-up, of which 19 to 28 MB were kept by glibc.
 */
import { freeToSystem } from '../native/memory.ts';

/** V8 optimizes most functions during a device's first requests, and few later. */
const FIRST_MS = 5_000;
const LATER_MS = 60_000;

/** Begins to give memory back at intervals. The timers do not keep the process alive. */
export function giveFreeMemoryBack(): void {
  setTimeout(() => {
    freeToSystem();
    setInterval(freeToSystem, LATER_MS).unref();
  }, FIRST_MS).unref();
}
