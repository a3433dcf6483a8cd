/** Starts what serves the queues of a device: lanes of shared threads where there are any and they can, else threads of its own. */
import type { ControlChannel } from '../control/channel.ts';
import { dataPathOf, type DeviceSpec } from '../spec/device-spec.ts';
import { blockOffset } from '../stats/layout.ts';
import type { FoundFile } from '../targets/looks.ts';
import { isOnUblkDisk } from '../targets/stack.ts';
import type { Opened } from '../targets/target.ts';
import { checkDescriptorsLeft, type DescriptorNeeds } from './descriptor-budget.ts';
import type { DeviceThreads } from './device-threads.ts';
import type { Held } from './held.ts';
import { mapDescriptors, type MappedDevice, type SharedMaps } from './mappings.ts';
import { QueueThreads } from './queue-threads.ts';
import type { LaneRequest } from './shared/shared-thread.ts';
import { SharedQueues } from './shared/shared-queues.ts';
import type { SharedThreads } from './shared/shared-threads.ts';
import { threadConfigs } from './thread-configs.ts';

export interface ThreadParts {
  readonly device: MappedDevice;
  readonly channel: ControlChannel;
  readonly target: Opened;
  /** The files of the spec, as the target has opened them. */
  readonly opened: readonly FoundFile[];
  readonly maps: SharedMaps;
  readonly held: Held;
  /** null in a server of one device. */
  readonly shared: SharedThreads | null;
}

/** Also when this throws, `held` has what was started. */
export function startThreads(parts: ThreadParts): DeviceThreads {
  const { device, channel, target, maps, held, shared } = parts;
  // The kernel has workers for each of our threads, which do the operations that block. If a shared thread served a device
  // and the one below it, the upper one's operations could take every worker that the kernel grants, and wait for requests
  // of the lower one that need a worker too.
  const takes = shared?.takes(device.spec) === true;
  const lanes = takes && !parts.opened.some(isOnUblkDisk) ? shared.serve(laneRequests(parts)) : null;
  if (lanes !== null) {
    const queues = new SharedQueues(lanes);
    held.setThreads(() => queues.release());
    return queues;
  }
  if (takes) checkDescriptorsLeft(ofThreads(device.spec));
  const descriptors = mapDescriptors(device);
  held.add(() => descriptors.memory.unmap());
  const threads = new QueueThreads();
  held.setThreads(() => threads.release());
  threads.start(threadConfigs(device, channel, target, maps, descriptors));
  return threads;
}

/** What threads of its own add to the descriptors of a device that was to share threads. */
function ofThreads({ threads }: DeviceSpec): DescriptorNeeds {
  return { threads, files: [], sharedMemory: false, buffers: [], ofTarget: 0 };
}

function laneRequests({ device, target, maps }: ThreadParts): LaneRequest[] {
  const { id, spec, charFd } = device;
  return Array.from({ length: spec.queues }, (_, queue) => ({
    deviceId: id,
    spec,
    queue,
    charFd,
    targetFiles: target.files,
    registers: dataPathOf(spec).registers,
    buffers: maps.buffers === null ? 0n : maps.buffers.address + BigInt(queue * spec.depth * spec.maxIoBufBytes),
    targetState: target.state,
    stats: maps.stats.address + BigInt(blockOffset(maps.statsBlocks[queue]![queue]!)),
  }));
}
