/**
 * The target `ram`: a disk in memory. The memory is a file on a tmpfs (record/files.ts), so it outlives the server: `recover`
 * finds the data, `del` frees it, and every data path serves it as it would serve any other file. Discards free memory.
 */
import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, openSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { UblkError } from '../../errors.ts';
import { filesOf } from '../../record/files.ts';
import { changing, makeDirectory } from '../../record/run-files.ts';
import { formatSize } from '../../sizes.ts';
import { chosenBytes } from '../chosen-size.ts';
import { directIoOf } from '../direct-io.ts';
import { requireWritableSize } from '../file-size-limit.ts';
import { BackingCalls } from '../backing-calls.ts';
import { holesOf } from '../holes.ts';
import { LoopQueue, type LoopState } from '../loop/queue.ts';
import { requireNoIntegrity } from '../integrity.ts';
import type { BuiltInTarget, Opened, OpenRequest } from '../target.ts';
import { ramParams } from './params.ts';

const DEFAULT_BYTES = 2 ** 30;

export const ramTarget: BuiltInTarget<LoopState> = {
  name: 'ram',
  summary: 'a disk in memory, which outlives its server and goes with `del`',
  options: { size: 'bytes of the device, or 1G, 1.5T ... (default 1G)' },
  files: { min: 0, max: 0 },
  prefers: ['auto_zc'],
  namespaces: () => [],
  check: ({ options, integrity }) => {
    requireNoIntegrity('ram', integrity);
    chosenBytes(options, DEFAULT_BYTES);
  },
  open,
  queue: (context) => new LoopQueue(context),
  resize: () => {
    throw new UblkError('the size of a ram device is fixed', {
      code: 'EOPNOTSUPP',
      hint: 'add another one of the size that you need, or use loop on a file in /dev/shm',
    });
  },
};

async function open(request: OpenRequest): Promise<Opened<LoopState>> {
  const path = filesOf(request.device).memory;
  const file = request.recovering ? openLeft(path, request) : make(path, chosenBytes(request.options, DEFAULT_BYTES));
  try {
    const bytes = fstatSync(file.fd).size;
    const calls = new BackingCalls(path, { caller: 'thread' });
    const holes = await holesOf(calls, file.fd, bytes);
    const memory = file.direct ? ((await directIoOf(calls, file.fd, bytes))?.memory ?? 1) : 1;
    return {
      params: ramParams({ bytes, holes, memory, maxIoBufBytes: request.maxIoBufBytes }),
      files: [file.fd],
      state: { holes, offset: 0 },
      operations: 2,
      notes: notesOf(path, bytes),
      close: () => closeSync(file.fd),
    };
  } catch (error) {
    closeSync(file.fd);
    throw error;
  }
}

interface OpenedFile {
  readonly fd: number;
  readonly direct: boolean;
}

/** /dev/shm is everybody's: a directory that somebody else has made there could lead anywhere. */
function requireOwnDirectory(directory: string): void {
  makeDirectory(directory, 0o700);
  const stat = lstatSync(directory);
  if (stat.isDirectory() && stat.uid === process.geteuid?.()) return;
  throw new UblkError(`${directory} belongs to another user: a disk in memory cannot be there`, {
    code: 'EPERM',
    command: 'open',
    hint: `see \`ls -ld ${directory}\`, and remove it`,
  });
}

function make(path: string, bytes: number): OpenedFile {
  requireWritableSize(path, bytes);
  requireOwnDirectory(dirname(path));
  const file = openBest(path, constants.O_CREAT | constants.O_TRUNC);
  try {
    ftruncateSync(file.fd, bytes);
    return file;
  } catch (error) {
    closeSync(file.fd);
    throw error;
  }
}

/** The memory that the server before this one has left. */
function openLeft(path: string, { device, deviceBytes }: OpenRequest): OpenedFile {
  requireWritableSize(path, deviceBytes);
  try {
    const file = openBest(path, 0);
    if (fstatSync(file.fd).size >= deviceBytes) return file;
    closeSync(file.fd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  throw new UblkError(`the memory of device ${device} is gone: ${path}`, {
    code: 'ENOENT',
    device,
    command: 'open',
    hint: `\`ublkts del -n ${device}\`, and add it again`,
  });
}

/** Past the page cache where tmpfs knows how (Linux 6.6), which saves nothing but a look-up: the pages are the same. */
function openBest(path: string, flags: number): OpenedFile {
  try {
    const fd = changing(path, () => openSync(path, flags | constants.O_RDWR | constants.O_DIRECT, 0o600));
    return { fd, direct: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
    return { fd: openSync(path, flags | constants.O_RDWR, 0o600), direct: false };
  }
}

/** Memory is taken page by page as it is written, and then there may be none. */
function notesOf(path: string, bytes: number): string[] {
  const { bavail, bsize } = statfsSync(dirname(path));
  const free = bavail * bsize;
  if (free >= bytes) return [];
  return [`${dirname(path)} has ${formatSize(free)} free: what is written beyond that fails with ENOSPC`];
}
