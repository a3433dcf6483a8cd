/** Makes the delivery of a device: with UBLK_F_BATCH_IO the driver takes only batch commands, without it none. */
import { ublkElemBytes } from '../../native/uapi/ublk-batch.ts';
import { UBLK_BATCH_F_AUTO_BUF_REG_FALLBACK, UBLK_BATCH_F_HAS_BUF_ADDR } from '../../native/uapi/ublk-io.ts';
import type { ThreadConfig } from '../thread-config.ts';
import { BatchDelivery } from './batch.ts';
import { OneQueueBatchDelivery } from './one-queue-batch.ts';
import type { Delivery, DeliveryParts } from './delivery.ts';
import { PerTagDelivery } from './per-tag.ts';

export function createDelivery(config: ThreadConfig, parts: DeliveryParts): Delivery {
  const { ring, slots, mine, device, beforeFetch } = parts;
  const { layout } = config;
  if (layout.kind !== 'batch') return new PerTagDelivery(parts);
  const flags = batchFlags(config);
  const Batch = layout.queues.length === 1 ? OneQueueBatchDelivery : BatchDelivery;
  return new Batch(ring, slots, device, {
    depth: config.spec.depth,
    queues: layout.queues,
    prepares: layout.prepares,
    flags,
    elemBytes: ublkElemBytes(flags),
    rotateBy: config.spec.rotateAutoBuf ? mine.length : 0,
    beforeFetch,
  });
}

function batchFlags({ spec }: ThreadConfig): number {
  if (spec.dataPath === 'auto_zc_fallback') return UBLK_BATCH_F_AUTO_BUF_REG_FALLBACK;
  return spec.dataPath === 'copy' ? UBLK_BATCH_F_HAS_BUF_ADDR : 0;
}
