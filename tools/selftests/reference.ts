/** The results of the kernel's own server, kublk, which are kept with the image that it is in. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ensureImage } from '../../src/lab/image.ts';
import type { Result } from './result.ts';

export async function readReference(): Promise<Map<string, Result>> {
  const text = await readFile(await referenceFile(), 'utf8').catch(() => '[]');
  const results: Result[] = JSON.parse(text);
  return new Map(results.map((result) => [result.test, result]));
}

export async function addToReference(measured: readonly Result[]): Promise<void> {
  const all = await readReference();
  for (const result of measured) all.set(result.test, { ...result, output: undefined });
  const file = await referenceFile();
  await writeFile(`${file}.${process.pid}`, JSON.stringify([...all.values()]));
  await rename(`${file}.${process.pid}`, file);
}

/** Each image has a kernel and a kublk of its own, so it has results of its own. */
async function referenceFile(): Promise<string> {
  const { directory } = await ensureImage();
  return path.join(directory, 'selftests-of-kublk.json');
}
