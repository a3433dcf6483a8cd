/** Whether the backing files of a device are there, before anything is made. */
import type { BigIntStats } from 'node:fs';
import { mountOf } from '../block/mounts.ts';
import { UblkError } from '../errors.ts';
import { BackingCalls } from '../targets/backing-calls.ts';
import type { FoundFile } from '../targets/looks.ts';

/** Throws for the first backing file that is not there, or does not answer. */
export async function requireFiles(files: readonly string[]): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (const path of files) found.push({ path, stat: await inTurn(path) });
  return found;
}

/** The last look at a file of each mount. */
const turns = new Map<string, Promise<unknown>>();

/**
 * Looks at one file of a file system at a time. A process has four threads for it, and `recover -a` may have many files on one
 * that hangs: it takes one thread, and the files that come after are refused at once.
 */
function inTurn(path: string): Promise<BigIntStats> {
  const place = mountOf(path)?.path ?? path;
  const before = turns.get(place) ?? Promise.resolve();
  const stat = before.then(() => statOf(path, place));
  turns.set(
    place,
    stat.catch(() => {}),
  );
  return stat;
}

async function statOf(path: string, place: string): Promise<BigIntStats> {
  try {
    return await new BackingCalls(path, { inPool: true, place }).stat();
  } catch (error) {
    if (error instanceof UblkError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    throw new UblkError(`cannot use backing file ${path}: ${code === 'ENOENT' ? 'there is no such file' : code}`, {
      code,
      command: 'open',
      hint: `make it first, for instance with \`truncate -s 1G ${path}\``,
    });
  }
}
