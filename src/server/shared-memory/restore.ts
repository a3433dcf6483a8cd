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
    notes.push(...gone.map((index) => `buffer ${index} is not registered any more: its memory is gone`));
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
