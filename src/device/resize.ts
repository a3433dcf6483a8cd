/** `update_size`: a new size for a live device (UBLK_F_UPDATE_SIZE). */
import { withControl } from '../control/channel.ts';
import { getDevInfo, updateSize as update } from '../control/commands.ts';
import { diskSize } from '../control/sysfs.ts';
import type { WaitOptions } from '../control/waiting.ts';
import { UblkError, usageError } from '../errors.ts';
import { patiently } from './patiently.ts';

/**
 * Resolves when the block device has `bytes` bytes, which has been read back; a whole number of its logical blocks, more
 * than 0. Throws a UblkError of kind `usage` for another size, of kind `no-device` for a device that is stopped.
 */
export async function updateSize(id: number, bytes: number, options: WaitOptions = {}): Promise<void> {
  options.signal?.throwIfAborted();
  const { ublksrv_pid: serverPid } = await withControl((channel) => getDevInfo(channel, id));
  const block = diskSize(id)?.logicalBlockBytes ?? 512;
  if (bytes <= 0) throw usageError(`a device cannot have ${bytes} bytes`, `give a multiple of ${block}`);
  if (bytes % block !== 0) {
    throw usageError(`${bytes} bytes are not a whole number of device ${id}'s blocks`, `give a multiple of ${block}`);
  }
  const stuck = { command: 'UPDATE_SIZE', device: id, serverPid, after: 'the size changes then' };
  await patiently(stuck, options, (apart) => update(id, bytes / 512, apart));
  const size = diskSize(id);
  if (size?.bytes !== bytes) throw unchanged(id, size?.bytes ?? 0, bytes);
}

function unchanged(device: number, is: number, wanted: number): UblkError {
  return new UblkError(`device ${device} has ${is} bytes after UPDATE_SIZE, not ${wanted}`, {
    code: 'EBUSY',
    kind: 'busy',
    device,
    command: 'UPDATE_SIZE',
    hint: 'another process may have changed it too: try again',
  });
}
