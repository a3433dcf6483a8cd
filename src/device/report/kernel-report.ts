/** Reports what the driver and sysfs tell about a device, whichever program made it. */
import type { ControlChannel } from '../../control/channel.ts';
import { type DevInfo, getDevInfo, getParams, getQueueAffinity } from '../../control/commands.ts';
import { type DiskSize, diskSize } from '../../control/sysfs.ts';
import { UBLK_S_DEV_DEAD, ublkStateName } from '../../native/uapi/ublk-device.ts';
import type { DeviceState, KernelReport } from './report.ts';

export async function kernelReport(
  channel: ControlChannel,
  id: number,
  info: DevInfo = getDevInfo(channel, id),
): Promise<KernelReport> {
  const size = await sizeOf(channel, info);
  return {
    id,
    state: ublkStateName(info.state) as DeviceState,
    size_bytes: size.bytes,
    logical_block_size: size.logicalBlockBytes,
    nr_hw_queues: info.nr_hw_queues,
    queue_depth: info.queue_depth,
    max_io_buf_bytes: info.max_io_buf_bytes,
    ublksrv_pid: info.ublksrv_pid,
    flags: `0x${info.flags.toString(16)}`,
    io_desc_size: info.io_desc_size,
    queues: Array.from({ length: info.nr_hw_queues }, (_, queue) => ({
      id: queue,
      affinity: getQueueAffinity(channel, id, queue),
    })),
  };
}

const UNKNOWN_SIZE: DiskSize = { bytes: 0, logicalBlockBytes: 512 };

/**
 * The size comes from sysfs while there is a block device. The driver is asked about a device that is DEAD, because
 * nobody holds its mutex then. While the block device is being made or taken away, the mutex may be held for as long as
 * the server likes, so the driver is not asked and the size is not known.
 */
async function sizeOf(channel: ControlChannel, { dev_id: id, state }: DevInfo): Promise<DiskSize> {
  const size = diskSize(id);
  if (size !== null) return size;
  if (state !== UBLK_S_DEV_DEAD) return UNKNOWN_SIZE;
  const { basic } = await getParams(channel, id, { timeoutMs: 1000 });
  return { bytes: basic.dev_sectors * 512, logicalBlockBytes: 2 ** basic.logical_bs_shift };
}
