/** Allocates memory that is shared with a server: a memfd of this program, memory of the server, or a file. */
import { closeSync, constants, ftruncateSync, openSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { WaitOptions } from '../control/waiting.ts';
import { askServerOf } from '../device/ask-server-of.ts';
import { UblkError } from '../errors.ts';
import { COUNT, isObject, type Kind, optional, requireKinds, SWITCH, TEXT } from '../kinds.ts';
import { closeDescriptor, fileError } from '../native/libc/calls.ts';
import { addSeals } from '../native/libc/seals.ts';
import { F_SEAL_GROW, F_SEAL_SHRINK } from '../native/uapi/fcntl.ts';
import { createMemfd } from '../native/memory.ts';
import { filesOf } from '../record/files.ts';
import { mapShared } from '../server/shared-memory/map-shared.ts';
import { checkSharedFile, openSharedFile, requireMemory } from '../server/shared-memory/shared-file.ts';
import type { BufferAnswer, Request } from '../protocol/buffer-requests.ts';
import { SharedRegion } from './region.ts';

export interface RegionOptions {
  /** The size: a whole number of pages or, on hugetlbfs, of huge pages. */
  readonly bytes: number;
  /**
   * Where the memory comes from. `memfd` (the default): this program makes it and sends its descriptor to the device's
   * socket. `server`: the server makes it and this program opens it, so programs that share it need not know each
   * other. `path`: a file on hugetlbfs or tmpfs. A file that does not exist is made, and removed when the region is
   * released.
   */
  readonly from?: 'memfd' | 'server' | { readonly path: string } | undefined;
  /** A read-only region matches writes to the device only. */
  readonly readOnly?: boolean | undefined;
}

const FROM: Kind = {
  is: (value) => value === 'memfd' || value === 'server' || (isObject(value) && TEXT.is(value['path'])),
  words: 'memfd, server or an object with a path',
};

/** Error codes that mean that the server is gone. */
const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/** Throws a UblkError for an option that is unknown, missing or of another kind. */
export function requireRegionOptions(options: RegionOptions): void {
  requireKinds(options, { bytes: COUNT, from: optional(FROM), readOnly: optional(SWITCH) });
}

export async function allocateRegion(
  device: number,
  options: RegionOptions,
  waiting: WaitOptions = {},
): Promise<SharedRegion> {
  const { from = 'memfd', bytes, readOnly = false } = options;
  const wanted: Wanted = { device, bytes, readOnly, waiting };
  if (from === 'memfd') return fromMemfd(wanted);
  return from === 'server' ? fromServer(wanted) : fromFile(resolve(from.path), wanted);
}

interface Wanted {
  readonly device: number;
  readonly bytes: number;
  readonly readOnly: boolean;
  readonly waiting: WaitOptions;
}

/** The descriptor stays open, so that a recovered server can find the memory by it. */
async function fromMemfd(wanted: Wanted): Promise<SharedRegion> {
  const fd = createMemfd('ublkts-region', wanted.bytes);
  const close = () => closeDescriptor(fd);
  return orElse(close, async () => {
    // Before it is mapped, which takes the memory at once: with more than there is, the kernel would kill this program.
    checkSharedFile(fd, 'memory of this program');
    requireMemory(fd, 'memory of this program');
    addSeals(fd, F_SEAL_SHRINK | F_SEAL_GROW, 'a memfd');
    return share(fd, wanted, close, () => ask(wanted, { op: 'register-fd', readOnly: wanted.readOnly }, fd));
  });
}

async function fromServer(wanted: Wanted): Promise<SharedRegion> {
  const { device, bytes, readOnly } = wanted;
  const buffer = await ask(wanted, { op: 'create', bytes, seal: true, readOnly });
  try {
    const fd = openSync(buffer.path ?? '', constants.O_RDWR);
    const close = () => closeSync(fd);
    return await orElse(close, () => share(fd, wanted, close, async () => buffer));
  } catch (error) {
    await unregister(device, buffer, {});
    throw error;
  }
}

/** `path` is absolute: the server has another working directory, and this program may change its own before the release. */
async function fromFile(path: string, wanted: Wanted): Promise<SharedRegion> {
  const { bytes, readOnly } = wanted;
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
        requireMemory(fd, path);
        const whole = { ...wanted, bytes: length };
        return share(fd, whole, close, () => ask(wanted, { op: 'register', path, readOnly }, fd));
      },
    );
  });
}

/** Maps `fd` into this process and registers it with the server. */
async function share(
  fd: number,
  { device, bytes, waiting: { signal } }: Wanted,
  close: () => void,
  register: () => Promise<BufferAnswer>,
): Promise<SharedRegion> {
  const memory = await mapShared(fd, bytes, 'a shared region', { isWanted: () => signal?.aborted !== true });
  return orElse(
    () => memory.unmap(),
    async () => {
      signal?.throwIfAborted();
      const buffer = await register();
      return new SharedRegion({
        memory,
        index: buffer.index,
        readOnly: buffer.readOnly,
        unregister: (waiting) => unregister(device, buffer, waiting),
        close,
      });
    },
  );
}

type Registration = Request & { readonly op: 'register' | 'register-fd' | 'create' };

function ask({ device, waiting }: Wanted, request: Registration, fd?: number): Promise<BufferAnswer> {
  const waitsFor = 'waiting for the server to register the memory';
  return askServerOf({ device, socket: filesOf(device).socket, request, fd, waitsFor }, waiting);
}

/** Does nothing when the server is gone or has come back without the buffer. */
async function unregister(device: number, { index, inode }: BufferAnswer, waiting: WaitOptions): Promise<void> {
  const request = { op: 'unregister', index, inode } as const;
  const waitsFor = 'waiting for requests that use the memory';
  try {
    await askServerOf({ device, socket: filesOf(device).socket, request, waitsFor }, waiting);
  } catch (error) {
    if (!(error instanceof UblkError) || !GONE.has(error.code)) throw error;
  }
}

function tooSmall(path: string, length: number, bytes: number): UblkError {
  return new UblkError(`${path} exists and has ${length} bytes; ${bytes} are needed`, {
    code: 'EINVAL',
    command: 'open',
    hint: 'name another path, or remove it',
  });
}

/** Returns false when the file exists already. */
function makeFile(path: string, bytes: number): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'wx+', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw fileError(error, path);
  }
  try {
    ftruncateSync(fd, bytes);
    return true;
  } catch (error) {
    rmSync(path);
    throw fileError(error, path);
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
