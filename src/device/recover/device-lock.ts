/**
 * Lets one process at a time recover a device. The lock is a byte of a file that only root can open, at the place of the
 * device's id. The kernel releases it when its process ends, however it ends.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { withControl } from '../../control/channel.ts';
import { UblkError } from '../../errors.ts';
import { tryLockByte } from '../../native/libc/file-lock.ts';
import { throwShortage } from '../../native/shortage.ts';
import { ERRNO, errnoName, errnoText } from '../../native/uapi/errno.ts';
import { makeRunDirectories, RECOVER_LOCK } from '../../record/files.ts';

/** Throws a UblkError of kind `busy` when another process has the lock. `what` names the command. */
export async function exclusively<T>(id: number, what: string, act: () => Promise<T>): Promise<T> {
  const fd = await openLock(id);
  try {
    if (!isLocked(fd, id)) throw taken(id, what);
    return await act();
  } finally {
    closeSync(fd);
  }
}

/** Whether the error is that of `exclusively`: the driver's have a command. */
export function isTaken({ code, command }: UblkError): boolean {
  return code === 'EBUSY' && command === undefined;
}

async function openLock(device: number): Promise<number> {
  try {
    makeRunDirectories();
    return openSync(RECOVER_LOCK, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    throwShortage(error);
    // Where there is no driver, or the caller may not use it, that is what has to be said.
    await withControl(() => Promise.resolve());
    const code = (error as NodeJS.ErrnoException).code ?? 'EIO';
    throw new UblkError(`device ${device} cannot be recovered: ${RECOVER_LOCK} cannot be opened`, {
      code,
      command: 'open',
      device,
      cause: error,
    });
  }
}

/** Takes the lock, if no other open file has it. */
function isLocked(fd: number, device: number): boolean {
  const errno = tryLockByte(fd, 'exclusive', BigInt(device));
  if (errno === 0 || errno === ERRNO.EAGAIN) return errno === 0;
  const code = errnoName(errno);
  throw new UblkError(`cannot lock ${RECOVER_LOCK}: ${errnoText(errno)}`, { code, command: 'fcntl', device });
}

function taken(id: number, what: string): UblkError {
  return new UblkError(`device ${id} cannot be changed: another process is using it (${what})`, {
    code: 'EBUSY',
    kind: 'busy',
    device: id,
    hint: `wait until that command has ended; \`ublkts list -n ${id}\` shows the result`,
  });
}
