/**
 * What is left of a ring when its thread has ended without closing it. The kernel keeps a ring, and the files registered
 * with it, for as long as there is a descriptor or a mapping of it; both are the process's, and not the thread's.
 */
import { closeSync } from 'node:fs';
import { hollow, type MappedMemory } from '../memory.ts';

export interface RingRemains {
  readonly fd: number;
  readonly mappings: readonly Pick<MappedMemory, 'address' | 'length'>[];
}

/** Closes the ring from another thread. The thread that made it must have ended. */
export function closeRemains({ fd, mappings }: RingRemains): void {
  for (const mapping of mappings) hollow(mapping, 'in place of a ring');
  closeSync(fd);
}
