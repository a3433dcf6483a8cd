/**
 * `--debug_mask`: what a server writes to its log (/run/ublkts/N.log), with kublk's bits. Requests are logged by a
 * wrapper around the delivery, so a server that logs none of them runs the same code as without this file.
 */
import { serverLog } from '../targets/log.ts';
import type { Arrivals, Delivery } from './delivery/delivery.ts';
import type { Slots } from './slots.ts';

export const DEBUG_DEVICE = 1 << 0;
export const DEBUG_THREAD = 1 << 1;
const DEBUG_IO_COMMAND = 1 << 2;
const DEBUG_IO = 1 << 3;
/** Either bit logs every request: one line when it comes and one when it is done. */
export const DEBUG_REQUESTS = DEBUG_IO_COMMAND | DEBUG_IO;

export function debugLog(mask: number, bits: number, text: string): void {
  if ((mask & bits) !== 0) serverLog(text);
}

class LoggedArrivals implements Arrivals {
  private readonly to: Arrivals;
  private readonly slots: Slots;
  private readonly descriptors: Int32Array;

  constructor(to: Arrivals, slots: Slots, descriptors: Int32Array) {
    this.to = to;
    this.slots = slots;
    this.descriptors = descriptors;
  }

  arrive(slot: number): void {
    const at = this.slots.descriptor[slot]!;
    const words = this.descriptors.subarray(at, at + 6);
    const flags = (words[0]! >>> 0).toString(16);
    const sector = (words[3]! >>> 0) * 2 ** 32 + (words[2]! >>> 0);
    line(this.slots, slot, `came: op_flags 0x${flags} sector ${sector} sectors ${words[1]! >>> 0}`);
    this.to.arrive(slot);
  }
}

/** Passes everything on, and logs requests and commits on the way. */
export class LoggedDelivery implements Delivery {
  private readonly to: Delivery;
  private readonly slots: Slots;
  private readonly descriptors: Int32Array;
  private arrivals: Arrivals | undefined;

  constructor(to: Delivery, slots: Slots, descriptors: Int32Array) {
    this.to = to;
    this.slots = slots;
    this.descriptors = descriptors;
  }

  start(): void {
    this.to.start();
  }

  completed(userData: number, result: number, flags: number, arrivals: Arrivals): void {
    this.arrivals ??= new LoggedArrivals(arrivals, this.slots, this.descriptors);
    this.to.completed(userData, result, flags, this.arrivals);
  }

  commit(slot: number, result: number): void {
    line(this.slots, slot, `done: ${result}`);
    this.to.commit(slot, result);
  }

  flush(): number {
    return this.to.flush();
  }

  drain(): void {
    this.to.drain();
  }

  get linkable(): boolean {
    return this.to.linkable;
  }

  get ended(): boolean {
    return this.to.ended;
  }

  get problem(): number {
    return this.to.problem;
  }
}

function line(slots: Slots, slot: number, text: string): void {
  const queueTag = slots.queueTag[slot]!;
  debugLog(DEBUG_REQUESTS, DEBUG_REQUESTS, `queue ${queueTag & 0xffff} tag ${queueTag >>> 16} ${text}`);
}
