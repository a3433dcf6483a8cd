/**
 * Refuses a device that is not there, for a command that looks at it a few times and ends: all that it printed would be
 * empty. A command without an end waits for the device instead.
 */
export async function requirePresent(id: number): Promise<void> {
  const { describeDevice } = await import('../../device/report/list.ts');
  await describeDevice(id);
}
