/**
 * What is left of a ring when its thread has ended without closing it. The kernel keeps a ring, and the files registered
 * with it, for as long as there is a descriptor or a mapping of it; both are the process's, and not the thread's.
 */
import { closeSync } from 'node:fs';
import { hollow, type MappedMemory } from '../memory.ts';

export interface RingRemains {
  /** Descriptors: that of the ring, and that of the library that enters it. */
  readonly fds: readonly number[];
  readonly mappings: readonly Pick<MappedMemory, 'address' | 'length'>[];
}

/** Closes the ring from another thread. The thread that made it must have ended. */
export function closeRemains({ fds, mappings }: RingRemains): void {
  for (const mapping of mappings) hollow(mapping, 'in place of a ring');
  for (const fd of fds) closeSync(fd);
}
