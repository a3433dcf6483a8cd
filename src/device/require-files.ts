/** Whether the backing files of a device are there and may be used, before anything is made. */
import type { BigIntStats } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { mountOf } from '../block/mounts.ts';
import { unlessAborted, type WaitOptions } from '../control/waiting.ts';
import { UblkError, usageError } from '../errors.ts';
import { textOfCode } from '../native/uapi/errno.ts';
import { BackingCalls } from '../targets/backing-calls.ts';
import type { FoundFile } from '../targets/looks.ts';
import { missingFileHint } from '../targets/missing-file.ts';
import { requireForeign } from '../targets/unfit-files.ts';

/**
 * Throws for the first backing file that is not there, does not answer, or is one of ublkts' own. `recovered`: the id of the
 * device that is given a new server, null for a new device.
 */
export async function requireFiles(
  files: readonly string[],
  { signal }: WaitOptions,
  recovered: number | null,
): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  const relative = files.find((path) => !isAbsolute(path));
  // The directory of the server is another one than that of the caller.
  if (relative !== undefined)
    throw usageError(
      `cannot use backing file ${relative}: its path is not absolute`,
      `for example ${resolve(relative)}`,
    );
  for (const path of files) found.push({ path, stat: await inTurn(path, signal, recovered) });
  found.forEach(requireForeign);
  return found;
}

/** The last call for a file of each mount, by mount point. */
const turns = new Map<string, Promise<unknown>>();

/**
 * Asks for one file of a mount at a time. `recover -a` may have many files on a file system that hangs: the first one takes its
 * time, and the others are refused at once when it has been given up.
 */
function inTurn(path: string, signal: AbortSignal | undefined, recovered: number | null): Promise<BigIntStats> {
  const place = mountOf(path)?.path ?? path;
  const before = turns.get(place) ?? Promise.resolve();
  const stat = before.then(() => statOf(path, place, signal, recovered));
  turns.set(
    place,
    stat.catch(() => {}),
  );
  return unlessAborted(stat, signal);
}

async function statOf(
  path: string,
  place: string,
  signal: AbortSignal | undefined,
  recovered: number | null,
): Promise<BigIntStats> {
  try {
    return await new BackingCalls(path, { caller: 'process', place, signal }).stat();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof UblkError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    if (code !== 'ENOENT')
      throw new UblkError(`cannot use backing file ${path}: ${textOfCode(code)}`, { code, command: 'stat' });
    throw new UblkError(`cannot use backing file ${path}: there is no such file`, {
      code,
      command: 'open',
      hint: missingFileHint(path, recovered, 'make it first'),
    });
  }
}
