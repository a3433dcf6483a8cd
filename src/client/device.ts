/** A ublk device as a program uses it that wants its I/O not to be copied. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { requireServer } from '../device/buffers.ts';
import { usageError } from '../errors.ts';
import { allocateRegion, type RegionOptions } from './allocate.ts';
import type { SharedRegion } from './region.ts';

/** Opens /dev/ublkbN, given as `0`, `ublkb0` or its path, for direct I/O. */
export async function openDevice(device: number | string): Promise<SharedMemoryDevice> {
  const id = idOf(device);
  const path = `/dev/ublkb${id}`;
  return new SharedMemoryDevice(id, path, await open(path, constants.O_RDWR | constants.O_DIRECT));
}

export class SharedMemoryDevice {
  readonly id: number;
  readonly path: string;
  readonly #file: FileHandle;
  readonly #regions = new Set<SharedRegion>();

  constructor(id: number, path: string, file: FileHandle) {
    this.id = id;
    this.path = path;
    this.#file = file;
  }

  /** Memory shared with the device's server. The device must have been made with --shmem_zc. */
  async allocate(options: RegionOptions): Promise<SharedRegion> {
    await requireServer(this.id);
    const region = await allocateRegion(this.id, options);
    this.#regions.add(region);
    return region;
  }

  /** Fills `buffer` from byte `position` on; both in whole logical blocks. Resolves to the bytes read. */
  async read(buffer: Buffer, position: number): Promise<number> {
    return (await this.#file.read(buffer, 0, buffer.length, position)).bytesRead;
  }

  /** Writes all of `buffer` at byte `position`; both in whole logical blocks. Resolves to the bytes written. */
  async write(buffer: Buffer, position: number): Promise<number> {
    return (await this.#file.write(buffer, 0, buffer.length, position)).bytesWritten;
  }

  /** What was written is on stable storage when it resolves. */
  async flush(): Promise<void> {
    await this.#file.datasync();
  }

  /** Releases the regions that have not been. */
  async close(): Promise<void> {
    for (const region of this.#regions) await region.release();
    await this.#file.close();
  }
}

function idOf(device: number | string): number {
  const digits = /^(?:\/dev\/)?(?:ublk[bc])?(\d+)$/.exec(String(device))?.[1];
  if (digits === undefined) throw usageError(`'${device}' is no ublk device`, 'it is called like 0 or /dev/ublkb0');
  return Number(digits);
}
