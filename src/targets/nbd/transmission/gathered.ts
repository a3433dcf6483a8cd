/**
 * Reads whose data has come, and which are completed together with those that follow in the socket. Each completion that is
 * submitted alone wakes the client, which then sends one request, and so on: batches fall apart. It is for data in
 * registered buffers, where each reply takes receives of its own. Hot path: nothing here allocates.
 */

/** More data than this is not kept back, and none for longer than so many receives: the client waits for the first of it. */
const MOST_BYTES = 128 << 10;
const MOST_RECEIVES = 64;

export class Gathered {
  /** How many there are. */
  count = 0;
  private bytes = 0;
  private receives = 0;
  private readonly slots: Int32Array;

  constructor(slots: number) {
    this.slots = new Int32Array(slots);
  }

  /** Keeps a read back; false: it has too much data, and those that there are must be completed now, too. */
  add(slot: number, bytes: number): boolean {
    if (this.bytes + bytes > MOST_BYTES) {
      this.receives = MOST_RECEIVES;
      return false;
    }
    this.slots[this.count] = slot;
    this.count++;
    this.bytes += bytes;
    return true;
  }

  /** A receive has ended. Returns whether those that there are must be completed, though there may be more in the socket. */
  isDue(): boolean {
    this.receives++;
    return this.receives > MOST_RECEIVES;
  }

  slotAt(index: number): number {
    return this.slots[index]!;
  }

  clear(): void {
    this.count = 0;
    this.bytes = 0;
    this.receives = 0;
  }
}
