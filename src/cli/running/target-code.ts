/** What a command that runs the code of a target does before it waits for the library. */

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

/** The same for a device that is there. What is wrong with its target matters only when the device itself is in order. */
export async function importOfDevice(target: string | undefined): Promise<void> {
  await importWithoutHandlers(target).catch(() => {});
}
