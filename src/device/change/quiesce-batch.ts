/**
 * Quiescing a `-b` device. QUIESCE_DEV makes the driver fail requests in batch mode until the next server has come, so
 * the server is asked instead: it makes the driver keep new requests, finishes what it has, and leaves
 * (server/hold-requests.ts). The kernel then makes the device QUIESCED.
 */
import type { DevInfo } from '../../control/commands.ts';
import { UBLK_F_BATCH_IO, UBLK_F_USER_RECOVERY } from '../../native/uapi/ublk-features.ts';
import { UblkError } from '../../errors.ts';
import { isElsewhere, isServer, isServerAlive } from '../../record/server-identity.ts';
import { readRecord } from '../../record/store.ts';
import { askResidentToQuiesce } from '../servers/serve.ts';

/**
 * The signal that asks the server of one device to let go of it (server/main.ts). A resident server is asked on its
 * socket.
 */
const SIGNAL = 'SIGUSR2';

/** The server of a device without recovery must not leave: the device would be DEAD. */
const LEAVES = UBLK_F_BATCH_IO | UBLK_F_USER_RECOVERY;

/**
 * Returns false when the device is not in batch mode or another program serves it, so that QUIESCE_DEV is the only way, and
 * when it has no recovery, so that QUIESCE_DEV is refused.
 */
export async function askServerToLeave({ dev_id: id, flags, ublksrv_pid: pid }: DevInfo): Promise<boolean> {
  if ((flags & LEAVES) !== LEAVES) return false;
  const server = readRecord(id)?.server ?? null;
  if (server !== null && pid <= 0 && isElsewhere(server) && isServerAlive(server)) throw outOfReach(id, server.pid);
  if (!isServer(pid, server) || !isServerAlive(server)) return false;
  if (server?.resident === undefined) process.kill(pid, SIGNAL);
  else await askResidentToQuiesce(server.resident, id);
  return true;
}

/** QUIESCE_DEV would make requests fail. */
function outOfReach(device: number, pid: number): UblkError {
  return new UblkError(`the server of device ${device} is in another pid namespace and cannot be asked to leave`, {
    code: 'ESRCH',
    device,
    command: 'QUIESCE_DEV',
    hint: `run it in that namespace, where the server is pid ${pid}`,
  });
}
