/** Fills the slots of a lane: where its descriptors, files and buffers are, and what its data path sets up once. */
import { ublk_auto_buf_reg_to_sqe_addr } from '../../native/uapi/ublk-addresses.ts';
import { DATA_PATHS } from '../../spec/data-paths.ts';
import { STAT_WAYS } from '../../stats/layout.ts';
import type { Slots } from '../slots.ts';
import type { LaneConfig } from './lane-config.ts';

/** Returns the index in STAT_WAYS of the way that the data of the lane travels. */
export function fillLaneSlots(slots: Slots, config: LaneConfig): number {
  const { spec, queue, firstSlot: first, firstFile, firstBuffer } = config;
  slots.setQueue({
    queue,
    first,
    depth: spec.depth,
    targetFirst: first,
    // The char device is before them.
    firstFile: firstFile + 1,
    descriptorsAt: config.descriptorsAt,
    ioDescSize: spec.ioDescSize,
    buffers: config.buffers,
    bufferBytes: spec.maxIoBufBytes,
    integrityBuffers: 0n,
    integrityBytes: 0,
  });
  for (let slot = first; slot < first + spec.depth; slot++) {
    // The kernel copies to and from the buffer, or registers the pages of the request in its place.
    slots.commandLo[slot] = slots.bufferLo[slot]!;
    slots.commandHi[slot] = slots.bufferHi[slot]!;
    if (firstBuffer < 0) continue;
    const index = firstBuffer + slot - first;
    slots.bufferIndex[slot] = index;
    slots.dataIndex[slot] = index;
    slots.autoBufReg[slot] = ublk_auto_buf_reg_to_sqe_addr(index, 0);
  }
  return STAT_WAYS.indexOf(DATA_PATHS[spec.dataPath].countedAs);
}
