/** The socket on which commands ask a device's server how large the storage of the device is (protocol/storage-requests.ts). */
import { filesOf } from '../record/files.ts';
import type { DeviceSpec } from '../spec/device-spec.ts';
import { builtInTarget } from '../targets/registry.ts';
import { RequestSocket } from './socket/listener.ts';
import { StorageRequests } from './socket/storage-requests.ts';

/**
 * Listens, and returns what ends that. Returns null for a target whose size a command finds out by itself: it has no
 * such socket.
 */
export async function listenForSize(
  device: number,
  { target, targetOptions }: DeviceSpec,
): Promise<(() => Promise<void>) | null> {
  const storage = builtInTarget(target)?.storage;
  if (storage === undefined) return null;
  const requests = new StorageRequests({
    device,
    name: storage.name(targetOptions, device),
    size: (signal) => storage.size(targetOptions, device, signal),
  });
  const socket = await RequestSocket.listen(filesOf(device).asked, requests);
  return () => {
    requests.end();
    return socket.close();
  };
}
