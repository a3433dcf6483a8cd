/** Maps a file that server and clients share, with pages that are as large as they may be. */
import { statfsSync } from 'node:fs';
import { fill, mapAligned } from '../../native/huge-pages.ts';
import { type MappedMemory, mapFile } from '../../native/memory.ts';
import { TMPFS_MAGIC } from '../../native/uapi/fs.ts';
import { type Memory, readMemory } from '../memory-budget.ts';
import { isRoomFor } from './shared-file.ts';

/** Each of its pages has memory when this resolves. `what` names the mapping in errors. */
export async function mapShared(
  fd: number,
  length: number,
  what: string,
  { readOnly = false } = {},
): Promise<MappedMemory> {
  // A file on hugetlbfs has none but huge pages.
  const isTmpfs = statfsSync(`/proc/self/fd/${fd}`).type === TMPFS_MAGIC;
  const inHugePages = isTmpfs && canPayFor(length, readMemory());
  const memory = isTmpfs ? mapAligned(fd, length, what, { readOnly }) : mapFile(fd, length, what, { readOnly });
  await fill(memory, { readOnly, inHugePages });
  return memory;
}

/**
 * A client's small pages are charged to the control group of the client, and the huge pages in their place to the group
 * of this process. A server whose group is full would wait for memory for ever, as it is never killed (memory-budget.ts).
 */
function canPayFor(length: number, memory: Memory): boolean {
  return !memory.limited || isRoomFor(length, memory);
}
