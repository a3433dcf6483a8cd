/** Shared buffers of a running device: asked of its server, which maps them, over the device's socket. */
import { withControl } from '../control/channel.ts';
import { getDevInfo } from '../control/commands.ts';
import { UblkError } from '../errors.ts';
import { UBLK_F_SHMEM_ZC } from '../native/uapi/ublk-features.ts';
import { filesOf } from '../record/files.ts';
import { askServer } from '../protocol/ask.ts';
import type { Answers, BufferAnswer, Request } from '../protocol/buffer-requests.ts';
import { option } from '../spec/option-names.ts';
import { ownedBy } from '../record/ownership.ts';
import { readRecord } from '../record/store.ts';
import type { BufferReport } from './report.ts';

/** `path`: a hugetlbfs or tmpfs file that the client maps too. `memfd`: the server makes the memory and keeps it. */
export type BufferSource =
  | { readonly kind: 'path'; readonly path: string; readonly readOnly: boolean }
  | { readonly kind: 'memfd'; readonly bytes: number; readonly seal: boolean; readonly readOnly: boolean };

/** With where others find the memory. */
export type RegisteredBuffer = BufferReport & { readonly path: string };

export async function registerBuffer(id: number, source: BufferSource): Promise<RegisteredBuffer> {
  const { readOnly } = source;
  const answer =
    source.kind === 'path'
      ? await ask(id, { op: 'register', path: source.path, readOnly })
      : await ask(id, { op: 'create', bytes: source.bytes, seal: source.seal, readOnly });
  return registered(answer);
}

/** When it returns, no request uses the buffer any more. */
export async function unregisterBuffer(id: number, index: number): Promise<void> {
  await ask(id, { op: 'unregister', index });
}

/** The indexes that there were. */
export async function unregisterAllBuffers(id: number): Promise<number[]> {
  return ask(id, { op: 'unregister-all' });
}

/** What a server that can be asked says; everything that speaks against it is a sentence. */
async function ask<R extends Request>(id: number, request: R): Promise<Answers[R['op']]> {
  requireServer(id);
  return askServer(filesOf(id).socket, id, request);
}

/** Throws where there is nobody to ask. */
export function requireServer(id: number): void {
  const info = withControl((channel) => getDevInfo(channel, id));
  if ((info.flags & UBLK_F_SHMEM_ZC) === 0n) {
    throw new UblkError([`device ${id} was made without `, option('features.SHMEM_ZC')], {
      code: 'EOPNOTSUPP',
      device: id,
      command: 'REG_BUF',
      hint: ['add it again with ', option('features.SHMEM_ZC')],
    });
  }
  if (ownedBy(info, readRecord(id)) === null) {
    throw new UblkError(`device ${id} is served by another program (pid ${info.ublksrv_pid})`, {
      code: 'EOPNOTSUPP',
      device: id,
      command: 'REG_BUF',
      hint: 'only the program that serves it can register buffers',
    });
  }
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
