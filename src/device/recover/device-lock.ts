/**
 * Lets one process at a time do `what` to a device. The lock is an abstract unix socket, which the kernel releases when
 * its process ends, however it ends.
 */
import { createServer } from 'node:net';
import { UblkError } from '../../errors.ts';

export async function exclusively<T>(id: number, what: string, act: () => Promise<T>): Promise<T> {
  const lock = createServer();
  await new Promise<void>((resolve, reject) => {
    lock.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? taken(id, what) : error);
    });
    lock.listen(`\0ublkts-${what}-${id}`, resolve);
  });
  try {
    return await act();
  } finally {
    lock.close();
  }
}

function taken(id: number, what: string): UblkError {
  return new UblkError(`device ${id} cannot be changed: another process is using it (${what})`, {
    code: 'EBUSY',
    kind: 'busy',
    device: id,
    hint: `wait until that command has ended; \`ublkts list -n ${id}\` shows the result`,
  });
}
