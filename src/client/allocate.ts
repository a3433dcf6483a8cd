/** The three ways to memory that is shared with a server. */
import { closeSync, constants, ftruncateSync, openSync, rmSync } from 'node:fs';
import { UblkError } from '../errors.ts';
import { addSeals, F_SEAL_GROW, F_SEAL_SHRINK } from '../native/libc/seals.ts';
import { createMemfd, type MappedMemory, mapFile } from '../native/memory.ts';
import { filesOf } from '../record/files.ts';
import { openSharedFile } from '../server/shared-memory/shared-file.ts';
import { askServer } from '../protocol/ask.ts';
import type { BufferAnswer } from '../protocol/buffer-requests.ts';
import { SharedRegion } from './region.ts';

export interface RegionOptions {
  /** A whole number of pages; on hugetlbfs, of its huge pages. */
  readonly bytes: number;
  /**
   * `memfd` (the default): memory of this program's, which goes to the server over the device's socket.
   * `server`: memory that the server makes and this program opens; programs that share it need not know each other.
   * Otherwise the path of a file on hugetlbfs or tmpfs, made when it is not there, and then removed on release.
   */
  readonly from?: 'memfd' | 'server' | { readonly path: string };
  /** Only writes to the device match. */
  readonly readOnly?: boolean;
}

/** Errors of a server that is not there to be told. */
const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

export async function allocateRegion(device: number, options: RegionOptions): Promise<SharedRegion> {
  const { from = 'memfd', bytes, readOnly = false } = options;
  if (from === 'memfd') return fromMemfd(device, bytes, readOnly);
  return from === 'server' ? fromServer(device, bytes, readOnly) : fromFile(device, from.path, bytes, readOnly);
}

/** The descriptor stays open: should the server crash, the next one finds the memory by it. */
async function fromMemfd(device: number, bytes: number, readOnly: boolean): Promise<SharedRegion> {
  const fd = createMemfd('ublkts-region', bytes);
  const close = () => closeSync(fd);
  return orElse(close, async () => {
    addSeals(fd, F_SEAL_SHRINK | F_SEAL_GROW, 'a memfd');
    return share(device, fd, bytes, close, () => ask(device, { op: 'register-fd', readOnly }, fd));
  });
}

async function fromServer(device: number, bytes: number, readOnly: boolean): Promise<SharedRegion> {
  const buffer = await ask(device, { op: 'create', bytes, seal: true, readOnly });
  try {
    const fd = openSync(buffer.path ?? '', constants.O_RDWR);
    const close = () => closeSync(fd);
    return await orElse(close, () => share(device, fd, bytes, close, async () => buffer));
  } catch (error) {
    await unregister(device, buffer);
    throw error;
  }
}

async function fromFile(device: number, path: string, bytes: number, readOnly: boolean): Promise<SharedRegion> {
  const made = makeFile(path, bytes);
  const remove = () => {
    if (made) rmSync(path, { force: true });
  };
  return orElse(remove, async () => {
    const { fd, length } = openSharedFile(path, false);
    const close = () => {
      closeSync(fd);
      remove();
    };
    return orElse(
      () => closeSync(fd),
      async () => {
        if (length < bytes) throw tooSmall(path, length, bytes);
        return share(device, fd, length, close, () => ask(device, { op: 'register', path, readOnly }));
      },
    );
  });
}

/** Maps `fd` here and has it registered. */
async function share(
  device: number,
  fd: number,
  bytes: number,
  close: () => void,
  register: () => Promise<BufferAnswer>,
): Promise<SharedRegion> {
  const memory: MappedMemory = mapFile(fd, bytes, 'of a shared region', { populate: true });
  return orElse(
    () => memory.unmap(),
    async () => {
      const buffer = await register();
      return new SharedRegion({
        memory,
        index: buffer.index,
        readOnly: buffer.readOnly,
        unregister: () => unregister(device, buffer),
        close,
      });
    },
  );
}

type Registration = Parameters<typeof askServer>[2] & { readonly op: 'register' | 'register-fd' | 'create' };

function ask(device: number, request: Registration, fd?: number): Promise<BufferAnswer> {
  return askServer(filesOf(device).socket, device, request, fd);
}

/** A server that is gone, or that came back without the buffer, has let go of it already. */
async function unregister(device: number, { index, inode }: BufferAnswer): Promise<void> {
  try {
    await askServer(filesOf(device).socket, device, { op: 'unregister', index, inode });
  } catch (error) {
    if (!(error instanceof UblkError) || !GONE.has(error.code)) throw error;
  }
}

function tooSmall(path: string, length: number, bytes: number): UblkError {
  return new UblkError(`${path} is there and has ${length} bytes, not ${bytes}`, {
    code: 'EINVAL',
    command: 'open',
    hint: 'name another path, or remove it',
  });
}

/** false: it was there. */
function makeFile(path: string, bytes: number): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'wx+', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    ftruncateSync(fd, bytes);
    return true;
  } catch (error) {
    rmSync(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

async function orElse<T>(undo: () => void, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    undo();
    throw error;
  }
}
