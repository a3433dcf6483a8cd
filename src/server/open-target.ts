/** Opens the target of a device in its server, and finds out what the server must know of its files. */
import { isAbsolute } from 'node:path';
import { getParams, type Params } from '../control/commands.ts';
import { openRequest } from '../spec/target-traits.ts';
import { BackingCalls } from '../targets/backing-calls.ts';
import { findTarget } from '../targets/find.ts';
import type { FoundFile } from '../targets/looks.ts';
import type { Opened, TargetType } from '../targets/target.ts';
import { requireServable } from './kept-limits.ts';
import type { ServingProcess, StartMode } from './serving.ts';
import { swapNotes } from './swap-area.ts';
import type { TakenDevice } from './take-device.ts';

export interface Storage {
  readonly type: TargetType;
  readonly target: Opened;
  /** What the kernel has of a device that is recovered; null for a new one. */
  readonly made: Params | null;
  /** The files of the spec, as a built-in target has opened them. */
  readonly opened: readonly FoundFile[];
  /** Sentences of the target, and about swap on the device. */
  readonly notes: readonly string[];
}

/** The target is closed with the device. */
export async function openTarget(
  { id, spec, channel, targetEnd }: TakenDevice,
  mode: StartMode,
  { held, server }: ServingProcess,
): Promise<Storage> {
  const recovering = mode === 'recover';
  const made = recovering ? await getParams(channel, id) : null;
  const type = await findTarget(spec.target);
  const target = await type.open(openRequest(spec, recovering, id, made));
  held.add(() => targetEnd.begin(target));
  // A file of another disk, or other options, may need larger blocks.
  if (made !== null && target.params !== null && spec.files.length > 0) requireServable(id, made, target.params);
  const inPool = server !== null;
  const opened = isAbsolute(spec.target) ? [] : await openedFiles(spec.files, target.files, inPool);
  const swap = await swapNotes(spec, target.files, inPool);
  return { type, target, made, opened, notes: [...(target.notes ?? []), ...swap] };
}

/** None for a target that opens other files than those of the spec, or opens them on its threads. */
async function openedFiles(paths: readonly string[], fds: readonly number[], inPool: boolean): Promise<FoundFile[]> {
  if (paths.length !== fds.length) return [];
  return Promise.all(
    paths.map(async (path, index) => ({
      path,
      stat: await new BackingCalls(path, { caller: inPool ? 'pool' : 'thread' }).fstat(fds[index]!),
    })),
  );
}
