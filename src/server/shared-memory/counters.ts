import { BLOCK_BYTES, blockOffset } from '../../stats/layout.ts';
import { StatsWriter } from '../../stats/writer.ts';
import type { SharedMaps } from '../mappings.ts';

/** Sets the counters of a registered buffer to 0, in the blocks of all threads. No request may match the buffer. */
export function resetCounters({ stats, statsBlocks }: Pick<SharedMaps, 'stats' | 'statsBlocks'>, index: number): void {
  const { buffer, byteOffset } = stats.bytes;
  for (const block of statsBlocks.flat()) {
    if (block >= 0) new StatsWriter(buffer, byteOffset + blockOffset(block), BLOCK_BYTES).forget(index);
  }
}
