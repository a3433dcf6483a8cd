/** Makes sure that nothing but the measured requests happens on a device. The lab's guest is thrown away afterwards. */
import { writeFileSync } from 'node:fs';
import { lockDevice } from '../guest/device-lock.ts';

const SCAN_SLEEP_MS = '/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs';
const WEEKS_MS = '4000000000';

/**
 * Keeps udev and khugepaged out of the measurement. udev reads a device whenever a writer closes it; khugepaged goes
 * through all memory every ten seconds, for milliseconds, whichever row is being measured.
 */
export async function undisturbed(device: string, measure: () => Promise<void>): Promise<void> {
  writeFileSync(SCAN_SLEEP_MS, WEEKS_MS);
  const lock = await lockDevice(device);
  try {
    await measure();
  } finally {
    await lock.release();
  }
}
