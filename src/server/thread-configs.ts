/** Makes the configuration that each queue thread of a device gets when it starts. */
import type { ControlChannel } from '../control/channel.ts';
import { getQueueAffinity } from '../control/commands.ts';
import { isOneToOne, threadCpus, threadLayouts } from '../spec/threads.ts';
import type { Opened } from '../targets/target.ts';
import type { Descriptors, MappedDevice, SharedMaps } from './mappings.ts';
import type { ThreadSetup } from './queue-worker.ts';

export function threadConfigs(
  { id, spec, charFd }: MappedDevice,
  channel: ControlChannel,
  target: Opened,
  maps: SharedMaps,
  descriptors: Descriptors,
): ThreadSetup[] {
  return threadLayouts(spec).map((layout, index) => ({
    deviceId: id,
    index,
    spec,
    layout,
    // All CPUs that submit to the queue: pinned to the first, as kublk does, the thread competes with the client for it.
    cpus: threadCpus(isOneToOne(spec) ? getQueueAffinity(channel, id, index) : [], spec.cpus),
    targetState: target.state,
    operations: target.operations,
    charFd,
    files: target.files,
    descriptors: descriptors.memory.address,
    queueDescriptorBytes: descriptors.queueBytes,
    buffers: maps.buffers?.address ?? 0n,
    integrityBuffers: maps.integrity?.address ?? 0n,
    integrityBytes: maps.integrityBytes,
    stats: maps.stats.address,
    statsBytes: maps.stats.length,
    statsBlocks: maps.statsBlocks[index]!,
    shmemTable: maps.shmemTable,
  }));
}
