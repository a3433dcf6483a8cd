/**
 * The registered buffers of a device, on the server's main thread. The registry maps their memory, registers it with the
 * kernel, publishes it to the queue threads, and stores what a later server needs. The index is always the kernel's.
 *
 * Contract
 * - One command at a time, in the order of the calls: each waits until the queues have drained, while the main thread
 *   goes on with its other work.
 * - A buffer that is registered for a client which no longer waits when that is done is unregistered in the same turn:
 *   nobody would know of it, and its pages could not be registered by the next call.
 * - The server itself never reads or writes a buffer's bytes: clients may cut the file short at any time, and only the
 *   kernel can meet that without a SIGBUS (docs/decisions/0008). Where the target's own code does (`looksAtData`), only
 *   memory that is sealed against that is registered.
 * - Registrations outlive the server. `adopt` before the queues fetch and `settle` once the device is live make the
 *   kernel's table and this one the same again after a crash; not earlier, as UNREG_BUF waits for all requests that the
 *   device has, and one without a server finishes none (docs/decisions/0007).
 */
import { closeSync, readlinkSync } from 'node:fs';
import type { ControlChannel } from '../../control/channel.ts';
import { regBuf, unregBuf } from '../../control/commands.ts';
import { describeFailure, UblkError } from '../../errors.ts';
import { addSeals, isReadOnly, isSealedAgainstShrinking } from '../../native/libc/seals.ts';
import { F_SEAL_GROW, F_SEAL_SHRINK } from '../../native/uapi/fcntl.ts';
import { createMemfd, hollow, type MappedMemory } from '../../native/memory.ts';
import { BUFFER_SLOTS } from '../../stats/layout.ts';
import { type FoundMemory, MemorySearch } from './find-memory.ts';
import { mapShared } from './map-shared.ts';
import { pageFingerprint } from './page-fingerprint.ts';
import { isLeaving, noSuchBuffer, notSealed, tooMany, unawaited } from './refusals.ts';
import { checkedFile, checkSharedFile, openSharedFile, pathOf, requireMemory, type SharedFile } from './shared-file.ts';
import type { ShmemTable } from '../../queue/shmem-table.ts';
import type { DeviceRecord, StoredBuffer } from '../../record/device-record.ts';
import { updateRecord } from '../../record/store.ts';
import { log } from '../log.ts';

interface Entry {
  readonly stored: StoredBuffer;
  readonly memory: MappedMemory;
  /** A descriptor that is kept open for others to find, or -1. */
  readonly fd: number;
}

/** The memory that is to be registered. */
interface Description extends SharedFile {
  readonly readOnly: boolean;
  readonly path: string | null;
  readonly source: string;
  readonly kept: boolean;
}

export interface MemfdRequest {
  readonly bytes: number;
  /** Whether the size is sealed, so that nobody can change it. */
  readonly seal: boolean;
  readonly readOnly: boolean;
}

/** A buffer that is not registered any more after a recovery. */
export interface GoneBuffer {
  readonly index: number;
  /** Whether its memory is there, and its owner could cut it short under a target that reads it. */
  readonly isUnsealed: boolean;
}

export interface RegistryOptions {
  readonly device: number;
  readonly channel: ControlChannel;
  readonly table: ShmemTable;
  /** Makes every queue thread look at the table again. */
  readonly wake: () => void;
  /** Whether the target's own code reads the bytes of buffers: then nobody must be able to cut them short. */
  readonly looksAtData: boolean;
  /** Sets the counters of an index to 0. No request refers to it, so no queue thread writes them. */
  readonly resetCounters: (index: number) => void;
}

/** The server itself waits for what it registers. */
const ALWAYS = (): boolean => true;

export class ShmemRegistry {
  readonly #device: number;
  readonly #channel: ControlChannel;
  readonly #table: ShmemTable;
  readonly #wake: () => void;
  readonly #looksAtData: boolean;
  readonly #resetCounters: (index: number) => void;
  readonly #entries = new Map<number, Entry>();
  /** Indexes that the kernel may still have, without memory here. */
  readonly #lost = new Set<number>();
  /** Indexes whose memory was found, and whose owner could cut it short under a target that reads it. */
  readonly #unsealed = new Set<number>();
  /** The index that was being unregistered when the server before crashed, or -1. */
  #unwanted = -1;
  #generation = 0;
  #isFilling = false;
  #isEnding = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor({ device, channel, table, wake, looksAtData, resetCounters }: RegistryOptions) {
    this.#device = device;
    this.#channel = channel;
    this.#table = table;
    this.#wake = wake;
    this.#looksAtData = looksAtData;
    this.#resetCounters = resetCounters;
  }

  /** Whether the call whose turn it is gives a buffer its memory. */
  get isFilling(): boolean {
    return this.#isFilling;
  }

  list(): StoredBuffer[] {
    return [...this.#entries.values()].map((entry) => entry.stored).sort((a, b) => a.index - b.index);
  }

  /** `opened`: the file at `path` as the client has it, whose mounts may be others than ours; it is closed here. */
  registerPath(
    path: string,
    readOnly: boolean,
    opened: number | null = null,
    isAwaited = ALWAYS,
  ): Promise<StoredBuffer> {
    return this.#whileAwaited(isAwaited, async () => {
      const { fd, ...file } = opened === null ? openSharedFile(path, readOnly) : checkedFile(opened, path);
      try {
        const restricted = readOnly || isReadOnly(fd);
        return await this.#register(
          fd,
          { ...file, readOnly: restricted, path, source: path, kept: false },
          -1,
          isAwaited,
        );
      } finally {
        // The mapping keeps the file; the descriptor has done its work.
        closeSync(fd);
      }
    });
  }

  /** A client's descriptor, which is closed here. `owner` completes "memfd:NAME of ...". */
  registerFd(fd: number, readOnly: boolean, owner: string, isAwaited = ALWAYS): Promise<StoredBuffer> {
    return this.#whileAwaited(isAwaited, async () => {
      try {
        const link = readlinkSync(`/proc/self/fd/${fd}`);
        const file = checkSharedFile(fd, link);
        const path = pathOf(link, file);
        const source = path ?? `${link.replace(/^\//, '').replace(/ \(deleted\)$/, '')} of ${owner}`;
        const restricted = readOnly || isReadOnly(fd);
        return await this.#register(fd, { ...file, readOnly: restricted, path, source, kept: false }, -1, isAwaited);
      } finally {
        closeSync(fd);
      }
    });
  }

  /** Makes the memory in the server; other processes find it at the path in the answer. */
  createMemfd({ bytes, seal, readOnly }: MemfdRequest, isAwaited = ALWAYS): Promise<StoredBuffer> {
    return this.#whileAwaited(isAwaited, async () => {
      const fd = createMemfd(`ublk${this.#device}`, bytes);
      try {
        const file = checkSharedFile(fd, `a memfd of ${bytes} bytes`);
        if (seal) addSeals(fd, F_SEAL_SHRINK | F_SEAL_GROW, 'a memfd');
        const path = `/proc/${process.pid}/fd/${fd}`;
        return await this.#register(fd, { ...file, readOnly, path, source: path, kept: true }, fd, isAwaited);
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    });
  }

  /**
   * With `inode`, the buffer is unregistered only if it is that memory: another buffer may have got the index since.
   */
  unregister(index: number, inode?: string): Promise<void> {
    return this.#inTurn(async () => {
      const stored = this.#entries.get(index)?.stored;
      if (stored === undefined || (inode ?? stored.inode) !== stored.inode) throw noSuchBuffer(this.#device, index);
      await this.#unregister(index);
    });
  }

  /** Returns the indexes that were registered. */
  unregisterAll(): Promise<number[]> {
    return this.#inTurn(async () => {
      const indexes = this.list().map((buffer) => buffer.index);
      for (const index of indexes) await this.#unregister(index);
      return indexes;
    });
  }

  /**
   * Takes over what the server before has registered: memory that is found again is mapped at the same index; other
   * indexes count as lost. Without a record, any index may be in use.
   */
  adopt({ buffers, unsettled, recorded, spec }: DeviceRecord): void {
    if (!recorded && spec.sharedMemory) for (let index = 0; index < BUFFER_SLOTS; index++) this.#lose(index);
    const search = new MemorySearch(buffers);
    for (const stored of buffers) {
      const found = this.#usable(search.find(stored), stored.index);
      if (found === null) this.#lose(stored.index);
      else this.#publish(this.#adopted(stored, found.memory, found.fd));
    }
    if (unsettled === null) return;
    if (this.#entries.has(unsettled)) this.#unwanted = unsettled;
    else this.#lose(unsettled);
  }

  /** Unregisters the lost indexes, now that the device is live. Returns those that were registered. */
  settle(): Promise<GoneBuffer[]> {
    return this.#inTurn(async () => {
      const gone: GoneBuffer[] = [];
      if (this.#unwanted >= 0) await this.#unregister(this.#unwanted);
      for (const index of this.#lost) {
        if (await this.#unregisterIfThere(index)) gone.push({ index, isUnsealed: this.#unsealed.has(index) });
        this.#table.withdraw(index);
        this.#lost.delete(index);
      }
      this.#store(null);
      return gone;
    });
  }

  /** The device leaves: nothing is registered any more, and memory that is being filled for that is given up. */
  end(): void {
    this.#isEnding = true;
  }

  /** Releases everything, once the device is gone and the kernel's pins with it. `isIdle`: no operation uses the memory. */
  close(isIdle: boolean): void {
    this.end();
    for (const index of this.#entries.keys()) this.#forget(index, isIdle);
  }

  /** The target of the server before may not have looked at the data. */
  #usable(found: FoundMemory | null, index: number): FoundMemory | null {
    if (found === null || !this.#looksAtData || isSealedAgainstShrinking(found.fd)) return found;
    found.memory.unmap();
    closeSync(found.fd);
    this.#unsealed.add(index);
    return null;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const mine = before.then(work);
    this.#last = mine.catch(() => {});
    return mine;
  }

  /** Registers in turn. `isAwaited`: whether somebody waits for the outcome. */
  #whileAwaited(isAwaited: () => boolean, register: () => Promise<StoredBuffer>): Promise<StoredBuffer> {
    return this.#inTurn(async () => {
      const stored = await register();
      if (isAwaited()) return stored;
      await this.#undo(stored);
      throw unawaited(this.#device);
    });
  }

  async #undo({ index, source }: StoredBuffer): Promise<void> {
    const buffer = `device ${this.#device}: buffer ${index} (${source}), for which no client waits any more,`;
    try {
      await this.#unregister(index);
      log(`${buffer} is unregistered again`);
    } catch (error) {
      log(`${buffer} stays registered: ${describeFailure(error)}`);
    }
  }

  async #register(fd: number, what: Description, keep: number, isAwaited: () => boolean): Promise<StoredBuffer> {
    const isWanted = () => isAwaited() && !this.#isEnding;
    // The client may have left while the calls before this one waited.
    if (!isWanted()) throw this.#unwantedNow();
    // The driver gives out indexes beyond ours, and the client's requests would match there until it takes one back.
    if (this.#lowestFree() >= BUFFER_SLOTS) throw tooMany(this.#device);
    const { length, readOnly, source } = what;
    if (this.#looksAtData && !isSealedAgainstShrinking(fd)) throw notSealed(this.#device, source);
    requireMemory(fd, keep < 0 ? source : `a memfd of ${length} bytes`);
    this.#isFilling = true;
    const memory = await mapShared(fd, length, source, { readOnly, isWanted }).finally(() => {
      this.#isFilling = false;
    });
    if (!isWanted()) {
      memory.unmap();
      throw this.#unwantedNow();
    }
    let index = -1;
    try {
      this.#store(this.#lowestFree());
      index = await regBuf(this.#channel, this.#device, memory.address, length, readOnly);
      if (index >= BUFFER_SLOTS) throw tooMany(this.#device);
    } catch (error) {
      if (index >= 0) await unregBuf(this.#channel, this.#device, index);
      memory.unmap();
      this.#storeSettled();
      throw error;
    }
    const stored: StoredBuffer = { index, ...what, pages: '' };
    this.#publish({ stored, memory, fd: keep });
    // After the pin: before it, pages may still move.
    const complete = { ...stored, pages: this.#pagesOf(memory, stored) };
    this.#entries.set(index, { stored: complete, memory, fd: keep });
    this.#storeSettled();
    return complete;
  }

  /** The buffer is registered and served, whether or not /proc says which pages it has. */
  #pagesOf(memory: MappedMemory, { index, source }: StoredBuffer): string {
    try {
      return pageFingerprint(memory);
    } catch (error) {
      const buffer = `device ${this.#device}: buffer ${index} (${source})`;
      log(`${buffer} will not be recognised by a server that recovers the device: ${describeFailure(error)}`);
      return '';
    }
  }

  #unwantedNow(): UblkError {
    return this.#isEnding ? isLeaving(this.#device) : unawaited(this.#device);
  }

  async #unregister(index: number): Promise<void> {
    this.#store(index);
    try {
      // UNREG_BUF drains the queues: when it returns, no request refers to the index.
      await this.#unregisterIfThere(index);
      this.#forget(index);
      // The kernel gives the index to the next buffer, which begins at 0.
      this.#resetCounters(index);
    } finally {
      this.#storeSettled();
    }
  }

  async #unregisterIfThere(index: number): Promise<boolean> {
    try {
      await unregBuf(this.#channel, this.#device, index);
      return true;
    } catch (error) {
      if (error instanceof UblkError && error.code === 'ENOENT') return false;
      throw error;
    }
  }

  #adopted(stored: StoredBuffer, memory: MappedMemory, fd: number): Entry {
    if (!stored.kept) {
      closeSync(fd);
      return { stored, memory, fd: -1 };
    }
    const path = `/proc/${process.pid}/fd/${fd}`;
    return { stored: { ...stored, path, source: path }, memory, fd };
  }

  #publish(entry: Entry): void {
    const { index, length, readOnly } = entry.stored;
    const { address } = entry.memory;
    this.#generation++;
    this.#entries.set(index, entry);
    this.#table.publish(index, { address, length, readOnly }, this.#generation);
    this.#wake();
  }

  #lose(index: number): void {
    this.#lost.add(index);
    this.#table.lose(index);
  }

  #forget(index: number, isIdle = true): void {
    const { memory, fd } = this.#entries.get(index)!;
    this.#table.withdraw(index);
    this.#entries.delete(index);
    // An operation that is under way still writes to the addresses, which must not be those of something else by then.
    if (isIdle) memory.unmap();
    else hollow(memory, 'in place of a registered buffer');
    if (fd >= 0) closeSync(fd);
  }

  #lowestFree(): number {
    let index = 0;
    while (this.#entries.has(index) || this.#lost.has(index)) index++;
    return index;
  }

  #store(unsettled: number | null): void {
    updateRecord(this.#device, { buffers: this.list(), unsettled });
  }

  /** The command has been carried out. In a record that cannot say so, the index stays unsettled, as after a crash. */
  #storeSettled(): void {
    try {
      this.#store(null);
    } catch (error) {
      log(`the buffers of device ${this.#device} are not in its record: ${describeFailure(error)}`);
    }
  }
}
