/** Why a buffer is not registered or unregistered. */
import { fstatSync, statfsSync } from 'node:fs';
import { UblkError } from '../../errors.ts';
import { errnoName } from '../../native/uapi/errno.ts';
import { formatSize } from '../../sizes.ts';
import { BUFFER_SLOTS } from '../../stats/layout.ts';

/** A process that touches a mapping beyond the end of its file is killed (docs/decisions/0008). */
export function notSealed(device: number, source: string): UblkError {
  return new UblkError(
    `cannot register ${source}: its owner could cut it short, which would kill the server, whose target reads the bytes itself`,
    {
      code: 'EPERM',
      kind: 'failed',
      device,
      command: 'REG_BUF',
      hint: `use memory whose size is sealed: \`ublkts reg-buf -n ${device} --memfd 4M --seal\`, or a memfd with F_SEAL_SHRINK`,
    },
  );
}

export function noSuchBuffer(device: number, index: number): UblkError {
  return new UblkError(`device ${device} has no registered buffer ${index}`, {
    code: 'ENOENT',
    device,
    command: 'UNREG_BUF',
    hint: 'see the buffers in `ublkts list --json`',
  });
}

/** Ends a registration whose client has left, so no client gets this error. */
export function unawaited(device: number): UblkError {
  return new UblkError('the client has left', { code: 'ECANCELED', device, command: 'REG_BUF' });
}

export function isLeaving(device: number): UblkError {
  return new UblkError(`nothing is registered any more: the server gives device ${device} up`, {
    code: 'ENODEV',
    kind: 'no-device',
    device,
    command: 'REG_BUF',
  });
}

export function tooMany(device: number): UblkError {
  return new UblkError(`device ${device} has ${BUFFER_SLOTS} registered buffers, as many as there can be`, {
    code: 'ENOSPC',
    device,
    command: 'REG_BUF',
    hint: 'unregister one that is not in use: `ublkts unreg-buf`',
  });
}

/** The hint for what is no file in memory. */
export const WANTED = 'a file on a hugetlbfs or tmpfs, or a memfd, is wanted';

/** The file is none that can be shared. `reason` completes "cannot share FILE: ". */
export function notShareable(path: string, code: string, reason: string, hint: string): UblkError {
  return new UblkError(`cannot share ${path}: ${reason}`, {
    code,
    kind: code === 'EACCES' ? 'permission' : 'failed',
    command: 'open',
    hint,
  });
}

/** The kernel found no memory for a page of the file (madvise(2), MADV_POPULATE_WRITE). */
export function notFilled(path: string, errno: number): UblkError {
  const hint =
    'it has become shorter, or its file system, the pool of huge pages or the control group has no more: use a smaller file';
  return notShareable(path, errnoName(errno), 'not all of it gets memory', hint);
}

/** The error of mmap(2), in words for a file that a file system like sysfs keeps, which has no pages to share. */
export function unmappable(path: string, error: unknown): unknown {
  if (!(error instanceof UblkError) || error.code !== 'ENODEV') return error;
  return notShareable(path, 'ENODEV', 'its file system has no memory to share', WANTED);
}

/** The error of mmap(2) for a file on hugetlbfs, in words when the pool, or the limit of the mount, is too small. */
export function tooFewHugePages(fd: number, path: string, error: unknown): unknown {
  if (!(error instanceof UblkError) || error.code !== 'ENOMEM') return error;
  const { size, blocks } = fstatSync(fd);
  const { bsize } = statfsSync(`/proc/self/fd/${fd}`);
  const missing = Math.ceil((size - blocks * 512) / bsize);
  const reason = `it needs ${missing} huge pages of ${formatSize(bsize)} more, and the kernel has refused them`;
  const hint = `\`grep Huge /proc/meminfo\` shows them, and \`sysctl vm.nr_hugepages\` how many there are to be; the mount may have a limit of its own (size=)`;
  return notShareable(path, 'ENOMEM', reason, hint);
}
