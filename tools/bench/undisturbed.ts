/** Makes sure that nothing but the measured requests happens on a device. The lab's guest is thrown away afterwards. */
import { lockDevice } from '../guest/device-lock.ts';
import { stopKhugepaged } from '../guest/khugepaged.ts';

/** Keeps udev and khugepaged out of the measurement. udev reads a device whenever a writer closes it. */
export async function undisturbed(device: string, measure: () => Promise<void>): Promise<void> {
  stopKhugepaged();
  const lock = await lockDevice(device);
  try {
    await measure();
  } finally {
    await lock.release();
  }
}
