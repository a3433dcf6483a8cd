/** Maps a file that server and clients share, with pages that are as large as they may be. */
import { statfsSync } from 'node:fs';
import { fill, mapAligned } from '../../native/huge-pages.ts';
import { type MappedMemory, mapFile } from '../../native/memory.ts';
import { HUGETLBFS_MAGIC, TMPFS_MAGIC } from '../../native/uapi/fs.ts';
import { type Memory, readMemoryAtSpeed } from '../memory-budget.ts';
import { notFilled, tooFewHugePages, unmappable } from './refusals.ts';
import { isRoomFor } from './shared-file.ts';

export interface Sharing {
  readonly readOnly?: boolean;
  /** Is asked while the memory is filled, which may take seconds: false ends that, and a part stays without memory. */
  readonly isWanted?: (() => boolean) | undefined;
}

/** Each of its pages has memory when this resolves, if it is still wanted then. `name` is that of the file, for errors. */
export async function mapShared(
  fd: number,
  length: number,
  name: string,
  { readOnly = false, isWanted }: Sharing = {},
): Promise<MappedMemory> {
  const { type } = statfsSync(`/proc/self/fd/${fd}`);
  // A file on hugetlbfs has none but huge pages.
  const isTmpfs = type === TMPFS_MAGIC;
  const inHugePages = isTmpfs && canPayFor(length, readMemoryAtSpeed());
  const memory = map();
  const errno = await fill(memory, { readOnly, inHugePages, isWanted });
  if (errno === 0) return memory;
  memory.unmap();
  throw notFilled(name, errno);

  function map(): MappedMemory {
    try {
      return (isTmpfs ? mapAligned : mapFile)(fd, length, `of ${name}`, { readOnly });
    } catch (error) {
      throw type === HUGETLBFS_MAGIC ? tooFewHugePages(fd, name, error) : unmappable(name, error);
    }
  }
}

/**
 * A client's small pages are charged to the control group of the client, and the huge pages in their place to the group
 * of this process. A server whose group is full would wait for memory for ever, as it is never killed (memory-budget.ts).
 */
function canPayFor(length: number, memory: Memory): boolean {
  return !memory.limited || isRoomFor(length, memory);
}
