/**
 * The table of registered buffers: the address and length of each, by the kernel's index. It lies in memory that the
 * main thread writes and queue threads read.
 *
 * To publish a buffer, the entry's words are written first and then its state, with a release store. A queue thread
 * that finds no entry for an index was quicker than the main thread: it holds the request (data-path/shmem.ts). An
 * entry is withdrawn after UNREG_BUF has returned, when no request can refer to the index.
 *
 * After a crash the kernel may still match against memory that no process has any more. Such an index is *lost* until
 * it has been unregistered, and a request that lies in it cannot be served.
 */
import { BUFFER_SLOTS, HEAT_PARTS } from '../stats/layout.ts';

const ENTRY_WORDS = 8;
const STATE = 0;
const ADDRESS_LO = 1;
const ADDRESS_HI = 2;
const LENGTH_LO = 3;
const LENGTH_HI = 4;
/** offset >>> shift is which part of the buffer was hit. */
const HEAT_SHIFT = 5;
/** 1: the memory is mapped read-only, and a store to it ends the process. */
const READ_ONLY = 6;

/** The state of a lost index. */
export const LOST = -1;

export interface PublishedBuffer {
  readonly address: bigint;
  /** Bytes. */
  readonly length: number;
  readonly readOnly: boolean;
}

/**
 * The state of an entry is 0 when it is free, LOST, or else its generation: how often the index was given out, so that
 * a reader can tell one buffer from the next.
 */
export class ShmemTable {
  static readonly BYTES = BUFFER_SLOTS * ENTRY_WORDS * 4;
  readonly words: Int32Array;

  constructor(shared: SharedArrayBuffer) {
    this.words = new Int32Array(shared);
  }

  publish(index: number, { address, length, readOnly }: PublishedBuffer, generation: number): void {
    const at = index * ENTRY_WORDS;
    this.words[at + ADDRESS_LO] = Number(BigInt.asIntN(32, address));
    this.words[at + ADDRESS_HI] = Number(address >> 32n);
    this.words[at + LENGTH_LO] = length | 0;
    this.words[at + LENGTH_HI] = Math.floor(length / 2 ** 32);
    this.words[at + HEAT_SHIFT] = Math.max(0, Math.ceil(Math.log2(length / HEAT_PARTS)));
    this.words[at + READ_ONLY] = readOnly ? 1 : 0;
    Atomics.store(this.words, at + STATE, generation);
  }

  lose(index: number): void {
    Atomics.store(this.words, index * ENTRY_WORDS + STATE, LOST);
  }

  withdraw(index: number): void {
    Atomics.store(this.words, index * ENTRY_WORDS + STATE, 0);
  }

  /**
   * Whether the entry is the one that this thread knows as `generation`, which an earlier call of `generation`
   * returned: what hangs on it is visible since then and does not change, and a plain load will do. Atomics.load is a
   * call.
   */
  is(index: number, generation: number): boolean {
    return this.words[index * ENTRY_WORDS + STATE] === generation;
  }

  /** The entry's state: 0 when it is not published, LOST, or its generation. */
  generation(index: number): number {
    return index < BUFFER_SLOTS ? Atomics.load(this.words, index * ENTRY_WORDS + STATE) : 0;
  }

  addressLo(index: number): number {
    return this.words[index * ENTRY_WORDS + ADDRESS_LO]!;
  }

  addressHi(index: number): number {
    return this.words[index * ENTRY_WORDS + ADDRESS_HI]!;
  }

  /** Bytes. */
  length(index: number): number {
    const at = index * ENTRY_WORDS;
    return this.words[at + LENGTH_HI]! * 2 ** 32 + (this.words[at + LENGTH_LO]! >>> 0);
  }

  isReadOnly(index: number): boolean {
    return this.words[index * ENTRY_WORDS + READ_ONLY] === 1;
  }

  /** Which of the buffer's HEAT_PARTS equal parts the byte offset lies in. */
  part(index: number, offset: number): number {
    return Math.min(HEAT_PARTS - 1, offset >>> this.words[index * ENTRY_WORDS + HEAT_SHIFT]!);
  }
}
