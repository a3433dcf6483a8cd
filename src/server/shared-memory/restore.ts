/** The shared buffers of a recovered device, once it is live again. */
import type { SharedBufferOptions } from '../../spec/options.ts';
import type { GoneBuffer, ShmemRegistry } from './registry.ts';

/** A buffer that cannot be restored becomes a note, because the device is live without it. */
export async function restoreBuffers(
  registry: ShmemRegistry,
  wanted: readonly SharedBufferOptions[],
): Promise<string[]> {
  const notes: string[] = [];
  try {
    const gone = await registry.settle();
    notes.push(...lostNotes(gone.filter(({ isUnsealed }) => !isUnsealed)));
    notes.push(...gone.filter(({ isUnsealed }) => isUnsealed).map(unsealedNote));
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

function unsealedNote({ index }: GoneBuffer): string {
  return `buffer ${index} is not registered any more: its owner could cut it short, which would kill the server, whose target reads the bytes itself`;
}

function lostNotes(lost: readonly GoneBuffer[]): string[] {
  if (lost.length === 0) return [];
  if (lost.length === 1) return [`buffer ${lost[0]!.index} is not registered any more: its memory is gone`];
  const indexes = lost.map(({ index }) => index).join(', ');
  return [`buffers ${indexes} are not registered any more: their memory is gone`];
}
