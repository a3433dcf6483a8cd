/**
 * Batches of a thread with one queue, as most are: its element buffers are a constant to the JIT, which an element of an
 * array is not (docs/decisions/0011).
 */
import type { Ring } from '../../native/ring/ring.ts';
import type { CharDevice } from '../char-device.ts';
import type { Slots } from '../slots.ts';
import { BatchDelivery, type BatchOptions } from './batch.ts';
import type { Arrivals } from './delivery.ts';
import type { ElementBuffers } from './element-buffers.ts';

export class OneQueueBatchDelivery extends BatchDelivery {
  private readonly only: ElementBuffers;

  constructor(ring: Ring, slots: Slots, device: CharDevice, arrivals: Arrivals, options: BatchOptions) {
    super(ring, slots, device, arrivals, options);
    this.only = this.elements[0]!;
  }

  override flush(): number {
    return this.prompt(1, this.flushed(this.only));
  }

  protected override elementsOf(): ElementBuffers {
    return this.only;
  }
}
