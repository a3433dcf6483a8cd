/** Shared buffers of a running device. Its server maps them, and is asked over the device's socket. */
import { closeSync } from 'node:fs';
import { resolve } from 'node:path';
import { withControl } from '../control/channel.ts';
import { getDevInfo } from '../control/commands.ts';
import { requireDeviceId } from '../control/device-id.ts';
import { requireWaiting, type WaitOptions } from '../control/waiting.ts';
import { UblkError } from '../errors.ts';
import {
  COUNT,
  type Kinds,
  oneOf,
  optional,
  requireKind,
  requireKinds,
  requireOptions,
  SWITCH,
  TEXT,
} from '../kinds.ts';
import { UBLK_F_SHMEM_ZC } from '../native/uapi/ublk-features.ts';
import { filesOf } from '../record/files.ts';
import { describePause, describeThaw, isPaused } from '../record/paused.ts';
import { processState } from '../record/process-state.ts';
import type { Answers, BufferAnswer, Request } from '../protocol/buffer-requests.ts';
import { openSharedFile } from '../server/shared-memory/shared-file.ts';
import { option } from '../spec/option-names.ts';
import { ownedBy } from '../record/ownership.ts';
import { readRecord } from '../record/store.ts';
import { askServerOf } from './ask-server-of.ts';
import type { BufferReport } from './report/report.ts';

/**
 * `path`: a file on hugetlbfs or tmpfs that the client maps too. `memfd`: memory that the server makes and keeps; `seal`: nobody
 * can change its size. Only writes to the device match memory that is `readOnly`. Both are off unless they are given.
 */
export type BufferSource =
  | { readonly kind: 'path'; readonly path: string; readonly readOnly?: boolean | undefined }
  | {
      readonly kind: 'memfd';
      readonly bytes: number;
      readonly seal?: boolean | undefined;
      readonly readOnly?: boolean | undefined;
    };

const KINDS: Readonly<Record<BufferSource['kind'], Kinds>> = {
  path: { kind: TEXT, path: TEXT, readOnly: optional(SWITCH) },
  memfd: { kind: TEXT, bytes: COUNT, seal: optional(SWITCH), readOnly: optional(SWITCH) },
};

/** `path` is where other processes find the memory. */
export type RegisteredBuffer = BufferReport & { readonly path: string };

/**
 * Resolves when the buffer is registered: requests whose pages lie in it are not copied from then on. Registering waits for the
 * requests that the device has. Throws a UblkError when they are not answered within 30 s, or within `timeoutMs` if that is less;
 * with the code EEXIST for memory that is registered already; and of kind `unsupported` for a device that was made without
 * SHMEM_ZC or that another program serves.
 */
export async function registerBuffer(
  id: number,
  source: BufferSource,
  options: WaitOptions = {},
): Promise<RegisteredBuffer> {
  requireDeviceId(id);
  requireWaiting(options);
  requireOptions(source);
  requireKind('kind', source.kind, oneOf(...Object.keys(KINDS)));
  requireKinds(source, KINDS[source.kind]);
  const { readOnly = false } = source;
  const answer =
    source.kind === 'path'
      ? await registerFile(id, resolve(source.path), readOnly, options)
      : await ask(id, { op: 'create', bytes: source.bytes, seal: source.seal ?? false, readOnly }, options);
  return registered(answer);
}

/** The file as this process sees it: the server has a mount namespace of its own. */
async function registerFile(id: number, path: string, readOnly: boolean, options: WaitOptions): Promise<BufferAnswer> {
  const { fd } = openSharedFile(path, readOnly);
  try {
    return await ask(id, { op: 'register', path, readOnly }, options, fd);
  } finally {
    closeSync(fd);
  }
}

/** Resolves when no request uses the buffer any more. Throws a UblkError when the device has no buffer at `index`. */
export async function unregisterBuffer(id: number, index: number, options: WaitOptions = {}): Promise<void> {
  requireKind('index', index, COUNT);
  await ask(id, { op: 'unregister', index }, options);
}

/** Unregisters every buffer of the device; resolves to their indexes. */
export async function unregisterAllBuffers(id: number, options: WaitOptions = {}): Promise<number[]> {
  return ask(id, { op: 'unregister-all' }, options);
}

/** Asks the device's server, which can be asked and is not stopped. */
async function ask<R extends Request>(
  id: number,
  request: R,
  options: WaitOptions,
  fd?: number,
): Promise<Answers[R['op']]> {
  requireDeviceId(id);
  requireWaiting(options);
  const pid = await requireServer(id);
  const waitsFor = `waiting for the server (pid ${pid}) to answer`;
  return askServerOf({ device: id, pid, socket: filesOf(id).socket, request, fd, waitsFor }, options);
}

/** The pid of the device's server. Throws when there is nobody to ask, or nobody who would answer. */
export async function requireServer(id: number): Promise<number> {
  const info = await withControl((channel) => getDevInfo(channel, id));
  const pid = info.ublksrv_pid;
  if ((info.flags & UBLK_F_SHMEM_ZC) === 0n) {
    throw new UblkError([`device ${id} was made without `, option('features.SHMEM_ZC')], {
      code: 'EOPNOTSUPP',
      device: id,
      command: 'REG_BUF',
      hint: ['add it again with ', option('features.SHMEM_ZC')],
    });
  }
  if (ownedBy(info, readRecord(id)) === null) {
    throw new UblkError(`device ${id} is served by another program (pid ${pid})`, {
      code: 'EOPNOTSUPP',
      device: id,
      command: 'REG_BUF',
      hint: 'only the program that serves it can register buffers',
    });
  }
  const state = processState(pid);
  if (isPaused(state)) {
    throw new UblkError(`the server of device ${id} (pid ${pid}) ${describePause(state)} and answers nothing`, {
      code: 'EBUSY',
      kind: 'busy',
      device: id,
      command: 'REG_BUF',
      hint: describeThaw(pid, state),
    });
  }
  return pid;
}

function registered({ index, length, readOnly, source, path }: BufferAnswer): RegisteredBuffer {
  return {
    index,
    len: length,
    read_only: readOnly,
    source,
    matched: { requests: 0, bytes: 0 },
    path: path ?? source,
  };
}
