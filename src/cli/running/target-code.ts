/** Imports the files of targets before a command waits for the library. */
import { findDevices } from '../../control/discovery.ts';
import { UblkError } from '../../errors.ts';
import { ofInstance } from '../../record/ownership.ts';
import { isServerAlive } from '../../record/server-identity.ts';
import { readRecord } from '../../record/store.ts';

/**
 * Imports the target's file while Ctrl-C and SIGTERM still end the process as they end any other. Code that never returns would
 * leave no handler of a signal its turn; what the library imports later has returned once. `target`: as it was named, or as it
 * is recorded; undefined: there is none.
 */
export async function importWithoutHandlers(target: string | undefined): Promise<void> {
  if (target === undefined) return;
  const { findTarget, targetReference } = await import('../../targets/find.ts');
  await findTarget(await targetReference(target));
}

/**
 * The same for a device that is there. Of what is wrong with its target, only that the import takes too long is said here: the
 * rest matters only when the device itself is in order.
 */
export async function importOfDevice(target: string | undefined): Promise<void> {
  await importWithoutHandlers(target).catch((error: unknown) => {
    if (error instanceof UblkError && error.code === 'TIMEOUT') throw error;
  });
}

/** The same for all devices that have lost their server. */
export async function importOfOrphans(): Promise<void> {
  for (const id of findDevices()) {
    const record = ofInstance(readRecord(id));
    if (record !== null && !isServerAlive(record.server)) await importOfDevice(record.spec.target);
  }
}

/** The target of the device, by its record; undefined when there is none, or it is about an earlier device of the id. */
export function recordedTarget(id: number): string | undefined {
  return ofInstance(readRecord(id))?.spec.target;
}
