/**
 * Delivery in batches for a thread with one queue, which most threads are. The JIT knows the element buffers as a
 * constant, which it does not for an element of an array (docs/decisions/0011).
 */
import type { Ring } from '../../native/ring/ring.ts';
import type { CharDevice } from '../char-device.ts';
import type { Slots } from '../slots.ts';
import { BatchDelivery, type BatchOptions } from './batch.ts';
import type { ElementBuffers } from './element-buffers.ts';

export class OneQueueBatchDelivery extends BatchDelivery {
  private readonly only: ElementBuffers;

  constructor(ring: Ring, slots: Slots, device: CharDevice, options: BatchOptions) {
    super(ring, slots, device, options);
    this.only = this.elements[0]!;
  }

  override flush(): number {
    return this.prompt(1, this.flushed(this.only));
  }

  protected override elementsOf(): ElementBuffers {
    return this.only;
  }
}
