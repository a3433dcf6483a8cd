/** A ublk device for programs that share memory with its server, so that their I/O is not copied. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { requireWaiting, type WaitOptions } from '../control/waiting.ts';
import { requireServer } from '../device/buffers.ts';
import { type FailureKind, UblkError, usageError } from '../errors.ts';
import { BYTES, COUNT, requireKind } from '../kinds.ts';
import { textOfCode } from '../native/uapi/errno.ts';
import { shown } from '../text/shown.ts';
import { allocateRegion, type RegionOptions, requireRegionOptions } from './allocate.ts';
import type { SharedRegion } from './region.ts';

const KINDS: Readonly<Record<string, FailureKind>> = {
  ENOENT: 'no-device',
  ENXIO: 'no-device',
  EACCES: 'permission',
  EPERM: 'permission',
};

/** Opens /dev/ublkbN, given as `0`, `ublkb0` or its path, for direct I/O. */
export async function openDevice(device: number | string): Promise<SharedMemoryDevice> {
  const id = idOf(device);
  const path = `/dev/ublkb${id}`;
  return new SharedMemoryDevice(id, path, await opened(id, path));
}

async function opened(id: number, path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | constants.O_DIRECT);
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException;
    const kind = KINDS[code] ?? 'failed';
    const message =
      kind === 'no-device' ? `there is no ${path}: no such device is live` : `cannot open ${path}: ${textOfCode(code)}`;
    throw new UblkError(message, { code, kind, command: 'open', device: id, cause: error });
  }
}

/** A block device that is open for direct I/O from memory that its server shares. `openDevice` makes one. */
export class SharedMemoryDevice {
  readonly id: number;
  readonly path: string;
  readonly #file: FileHandle;
  readonly #regions = new Set<SharedRegion>();
  #isClosed = false;

  constructor(id: number, path: string, file: FileHandle) {
    this.id = id;
    this.path = path;
    this.#file = file;
  }

  /**
   * Allocates memory that is shared with the device's server. The device must have been made with SHMEM_ZC. Waits for the requests
   * that the device has. A call that is given up leaves nothing.
   */
  async allocate(options: RegionOptions, waiting: WaitOptions = {}): Promise<SharedRegion> {
    requireRegionOptions(options);
    requireWaiting(waiting);
    this.#requireOpen();
    await requireServer(this.id);
    const region = await allocateRegion(this.id, options, waiting);
    this.#regions.add(region);
    if (this.#isClosed) await region.release();
    this.#requireOpen();
    return region;
  }

  /**
   * Reads from byte `position` into `buffer`. Position and length are whole logical blocks. Resolves to the bytes read.
   */
  async read(buffer: Buffer, position: number): Promise<number> {
    requirePlace(buffer, position);
    return (await this.#file.read(buffer, 0, buffer.length, position)).bytesRead;
  }

  /**
   * Writes `buffer` at byte `position`. Position and length are whole logical blocks. Resolves to the bytes written.
   */
  async write(buffer: Buffer, position: number): Promise<number> {
    requirePlace(buffer, position);
    return (await this.#file.write(buffer, 0, buffer.length, position)).bytesWritten;
  }

  /** Resolves when everything that was written is on stable storage. */
  async flush(): Promise<void> {
    await this.#file.datasync();
  }

  /** Releases the regions that have not been released, and closes the device. */
  async close(waiting: WaitOptions = {}): Promise<void> {
    requireWaiting(waiting);
    this.#isClosed = true;
    const released = await Promise.allSettled([...this.#regions].map((region) => region.release(waiting)));
    // Also when the memory is still shared: an open device cannot be deleted.
    await this.#file.close();
    for (const outcome of released) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** Throws after `close`: it has released the regions, and would not release another one. */
  #requireOpen(): void {
    if (!this.#isClosed) return;
    throw new UblkError(`cannot share memory with device ${this.id}: ${this.path} was closed`, {
      code: 'EBADF',
      device: this.id,
    });
  }
}

/** Without a position, node:fs reads and writes at one of its own. */
function requirePlace(buffer: Buffer, position: number): void {
  requireKind('buffer', buffer, BYTES);
  requireKind('position', position, COUNT);
}

function idOf(device: number | string): number {
  const text = typeof device === 'number' ? String(device) : device;
  const digits = typeof text === 'string' ? /^(?:\/dev\/)?(?:ublk[bc])?(\d+)$/.exec(text)?.[1] : undefined;
  if (digits === undefined)
    throw usageError(
      `${shown(device)} is not the name of a ublk device`,
      'name a device like 0, ublkb0 or /dev/ublkb0',
    );
  return Number(digits);
}
