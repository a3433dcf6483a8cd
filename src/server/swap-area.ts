/**
 * Finds out whether a device carries swap. A server whose pages can go to its own device may wait for itself for ever, so
 * such a device needs all of its memory locked.
 */
import { read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { type MappedMemory, mapAnonymous, PAGE_SIZE } from '../native/memory.ts';
import { parseSize } from '../sizes.ts';
import type { DeviceSpec } from '../spec/device-spec.ts';

/** What mkswap writes at the end of the first page. */
const SIGNATURE = 'SWAPSPACE2';

const readInPool = promisify(read);

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
  if (mlock || fd === undefined || !(await holdsSwapArea(fd, offset, isResident))) return [];
  return [
    `${files[0] ?? 'the first file'} holds a swap area: as swap, this device can freeze the machine, unless it is added with mlock`,
  ];
}

async function holdsSwapArea(fd: number, offset: number, isResident: boolean): Promise<boolean> {
  // The descriptor may be for direct I/O, which needs memory that begins at a page.
  const page = mapAnonymous(PAGE_SIZE, 'for the first page of the device');
  try {
    const isRead = await readPage(fd, page, offset, isResident);
    return isRead && page.bytes.toString('latin1', PAGE_SIZE - SIGNATURE.length) === SIGNATURE;
  } finally {
    page.unmap();
  }
}

/** In a server of one device, this thread reads: Node's pool has four threads, which such a server does without. */
async function readPage(fd: number, page: MappedMemory, offset: number, isResident: boolean): Promise<boolean> {
  try {
    if (!isResident) return readSync(fd, page.bytes, 0, PAGE_SIZE, offset) === PAGE_SIZE;
    return (await readInPool(fd, page.bytes, 0, PAGE_SIZE, offset)).bytesRead === PAGE_SIZE;
  } catch {
    // What cannot be read is no reason to refuse the device: its own requests will say so.
    return false;
  }
}
