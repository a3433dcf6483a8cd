/**
 * Finds out whether a device carries swap. A server whose pages can go to its own device may wait for itself for ever, so
 * such a device needs all of its memory locked.
 */
import { UblkError } from '../errors.ts';
import { mapAnonymous, PAGE_SIZE } from '../native/memory.ts';
import { parseSize } from '../sizes.ts';
import type { DeviceSpec } from '../spec/device-spec.ts';
import { BackingCalls } from '../targets/backing-calls.ts';

/** What mkswap writes at the end of the first page. */
const SIGNATURE = 'SWAPSPACE2';

/**
 * `descriptors` are those of the target's files. The first file holds the first page of the device. `isResident`: the server
 * has other devices, which a disk that hangs must not hold up.
 */
export async function swapNotes(
  { target, files, mlock, targetOptions }: DeviceSpec,
  descriptors: readonly number[],
  isResident: boolean,
): Promise<string[]> {
  const [fd] = descriptors;
  const offset = target === 'loop' ? parseSize(targetOptions['offset'] ?? '0') : 0;
  const path = files[0] ?? 'the first file';
  if (mlock || fd === undefined) return [];
  if (!(await holdsSwapArea(new BackingCalls(path, { caller: isResident ? 'pool' : 'thread' }), fd, offset))) return [];
  return [`${path} holds a swap area: as swap, this device can freeze the machine, unless it is added with mlock`];
}

async function holdsSwapArea(calls: BackingCalls, fd: number, offset: number): Promise<boolean> {
  // The descriptor may be for direct I/O, which needs memory that begins at a page.
  const page = mapAnonymous(PAGE_SIZE, 'for the first page of the device');
  try {
    const isRead = (await calls.read(fd, page.bytes, offset)) === PAGE_SIZE;
    return isRead && page.bytes.toString('latin1', PAGE_SIZE - SIGNATURE.length) === SIGNATURE;
  } catch (error) {
    // A read that was given up is a reason to refuse the device. A read error is none: the device's own requests report it.
    if (error instanceof UblkError) throw error;
    return false;
  } finally {
    calls.afterwards(() => page.unmap());
  }
}
