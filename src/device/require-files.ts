/** Whether the backing files of a device are there, before anything is made. */
import type { BigIntStats } from 'node:fs';
import { UblkError } from '../errors.ts';
import { FileCalls } from '../targets/file-calls.ts';
import type { FoundFile } from '../targets/looks.ts';

/** Throws for the first backing file that is not there, or does not answer. */
export async function requireFiles(files: readonly string[]): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (const path of files) found.push({ path, stat: await statOf(path) });
  return found;
}

async function statOf(path: string): Promise<BigIntStats> {
  try {
    return await new FileCalls(path, { inPool: true }).stat();
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
