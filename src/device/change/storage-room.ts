/**
 * Whether storage that is reached over a network or a socket has room for a device of another size. The device's server
 * asks the storage: a command may be in another network or mount namespace, where the same address leads to something
 * else or to nothing.
 */
import type { WaitOptions } from '../../control/waiting.ts';
import { UblkError } from '../../errors.ts';
import type { DeviceRecord } from '../../record/device-record.ts';
import { filesOf } from '../../record/files.ts';
import { isServerAlive, type ServerIdentity } from '../../record/server-identity.ts';
import type { RemoteStorage } from '../../targets/target.ts';
import { askServerOf } from '../ask-server-of.ts';

/** Throws a UblkError when there is no server to ask, when the storage does not say its size, and when it is too small. */
export async function requireRoom(
  { id: device, spec: { targetOptions } }: DeviceRecord,
  server: ServerIdentity,
  storage: RemoteStorage,
  bytes: number,
  waiting: WaitOptions,
): Promise<void> {
  const name = storage.name(targetOptions, device);
  if (!isServerAlive(server)) throw noServer(device, name);
  const { pid } = server;
  const question = {
    device,
    pid,
    socket: filesOf(device).asked,
    request: { op: 'storage-size' },
    waitsFor: `waiting for the server (pid ${pid}), which asks ${name} for its size`,
  } as const;
  const size = await askServerOf(question, waiting).catch((error: unknown) => {
    const hasNoSocket = error instanceof UblkError && error.code === 'ENOENT' && isServerAlive(server);
    throw hasNoSocket ? cannotBeAsked(device, pid, name) : error;
  });
  if (bytes > size) throw tooSmall(name, size, bytes, storage.enlarge);
}

function noServer(device: number, name: string): UblkError {
  return new UblkError(`device ${device} has no server to ask ${name} for its size`, {
    code: 'ESRCH',
    device,
    command: 'UPDATE_SIZE',
    hint: `\`ublkts recover -n ${device}\` gives it one`,
  });
}

/** Servers that began before the socket came into being do not have it. */
function cannotBeAsked(device: number, pid: number, name: string): UblkError {
  return new UblkError(
    `the server of device ${device} (pid ${pid}) has no socket on which it could be asked for the size of ${name}`,
    {
      code: 'EOPNOTSUPP',
      device,
      command: 'UPDATE_SIZE',
      hint: `it may be of an older ublkts; \`ublkts list -n ${device}\` shows its state`,
    },
  );
}

function tooSmall(name: string, is: number, wanted: number, hint: string): UblkError {
  return new UblkError(`${name} has ${is} bytes, less than ${wanted}`, {
    code: 'ENOSPC',
    command: 'UPDATE_SIZE',
    hint,
  });
}
