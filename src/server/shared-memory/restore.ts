/** The shared buffers of a recovered device, once it is live again. */
import type { SharedBufferOptions } from '../../spec/options.ts';
import type { ShmemRegistry } from './registry.ts';

/** A buffer that cannot be restored becomes a note, because the device is live without it. */
export async function restoreBuffers(
  registry: ShmemRegistry,
  wanted: readonly SharedBufferOptions[],
): Promise<string[]> {
  const notes: string[] = [];
  try {
    const gone = await registry.settle();
    notes.push(...goneNotes(gone.filter((index) => !registry.unsealed.has(index))));
    for (const index of gone) if (registry.unsealed.has(index)) notes.push(unsealedNote(index));
  } catch (error) {
    notes.push((error as Error).message);
  }
  for (const { path, readOnly } of wanted) {
    if (registry.list().some((buffer) => buffer.path === path)) continue;
    try {
      await registry.registerPath(path, readOnly);
    } catch (error) {
      notes.push((error as Error).message);
    }
  }
  return notes;
}

function unsealedNote(index: number): string {
  return `buffer ${index} is not registered any more: its owner could cut it short, which would kill the server, whose target reads the bytes itself`;
}

function goneNotes(indexes: readonly number[]): string[] {
  if (indexes.length === 0) return [];
  if (indexes.length === 1) return [`buffer ${indexes[0]} is not registered any more: its memory is gone`];
  return [`buffers ${indexes.join(', ')} are not registered any more: their memory is gone`];
}
