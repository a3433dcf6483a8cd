/**
 * The registered buffers of a device, on the server's main thread: maps, registers with the kernel, publishes to the
 * queue threads, and stores what a restart needs. The index is always the kernel's.
 */
import { closeSync } from 'node:fs';
import type { ControlChannel } from '../control/channel.ts';
import { regBuf, unregBuf } from '../control/commands.ts';
import { UblkError } from '../errors.ts';
import { type MappedMemory, mapFile } from '../native/memory.ts';
import { BUFFER_SLOTS } from '../stats/layout.ts';
import { openSharedFile } from './shared-file.ts';
import type { ShmemTable } from './shmem-table.ts';
import { type StoredBuffer, updateStoredDevice } from './stored-device.ts';

interface Entry {
  readonly stored: StoredBuffer;
  readonly memory: MappedMemory;
}

export class ShmemRegistry {
  readonly #device: number;
  readonly #channel: ControlChannel;
  readonly #table: ShmemTable;
  /** Makes every queue thread look at the table again. */
  readonly #wake: () => void;
  readonly #entries = new Map<number, Entry>();
  #generation = 0;

  constructor(device: number, channel: ControlChannel, table: ShmemTable, wake: () => void) {
    this.#device = device;
    this.#channel = channel;
    this.#table = table;
    this.#wake = wake;
  }

  list(): StoredBuffer[] {
    return [...this.#entries.values()].map((entry) => entry.stored).sort((a, b) => a.index - b.index);
  }

  registerPath(path: string, readOnly: boolean): StoredBuffer {
    const { fd, length } = openSharedFile(path, readOnly);
    try {
      return this.registerFd(fd, length, readOnly, path, path);
    } finally {
      // The mapping keeps the file; the descriptor has done its work.
      closeSync(fd);
    }
  }

  /** `path`: where a later server finds the same memory, or null. The descriptor stays the caller's. */
  registerFd(fd: number, length: number, readOnly: boolean, path: string | null, source: string): StoredBuffer {
    const memory = mapFile(fd, length, `of ${source}`, { readOnly, populate: true });
    let index = -1;
    try {
      index = regBuf(this.#channel, this.#device, memory.address, length, readOnly);
      if (index >= BUFFER_SLOTS) throw tooMany(this.#device);
    } catch (error) {
      if (index >= 0) unregBuf(this.#channel, this.#device, index);
      memory.unmap();
      throw error;
    }
    const stored = { index, length, readOnly, path, source };
    this.#publish({ stored, memory });
    return stored;
  }

  unregister(index: number): void {
    const entry = this.#entries.get(index);
    if (entry === undefined) {
      throw new UblkError(`device ${this.#device} has no registered buffer ${index}`, {
        code: 'ENOENT',
        device: this.#device,
        command: 'UNREG_BUF',
        hint: 'see the buffers in `ublkts list --json`',
      });
    }
    // It drains: when it returns, no request refers to the index.
    unregBuf(this.#channel, this.#device, index);
    this.#table.withdraw(index);
    this.#entries.delete(index);
    entry.memory.unmap();
    this.#store();
  }

  /** The device is gone, and the kernel's pins with it. */
  close(): void {
    for (const { memory } of this.#entries.values()) memory.unmap();
    this.#entries.clear();
  }

  #publish(entry: Entry): void {
    const { index, length } = entry.stored;
    this.#generation++;
    this.#entries.set(index, entry);
    this.#table.publish(index, entry.memory.address, length, this.#generation);
    this.#wake();
    this.#store();
  }

  #store(): void {
    updateStoredDevice(this.#device, { buffers: this.list() });
  }
}

function tooMany(device: number): UblkError {
  return new UblkError(`device ${device} has ${BUFFER_SLOTS} registered buffers, as many as there can be`, {
    code: 'ENOSPC',
    device,
    command: 'REG_BUF',
    hint: 'unregister one that is not in use: `ublkts unreg-buf`',
  });
}
