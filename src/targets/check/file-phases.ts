/** The parts of a check that watch the files of the target: what is durable when, and what their errors become. */
import { ERRNO } from '../../native/uapi/errno.ts';
import { BLOCK_ERROR_CODES, errnoOf } from '../handlers/errors.ts';
import { type Driven, Misbehaviour } from './driven.ts';
import type { CallKind, FileCalls } from './file-calls.ts';
import { type Disk, place } from './phase.ts';

/** A flush, and a write that must be durable, are answered when the files are synced. */
export async function durability(driven: Driven, disk: Disk): Promise<string | null> {
  const { writes, calls } = disk;
  if (!writes) return null;
  await calls.watch(async () => {
    for (let i = 0; i < 20; i++) await writeDurably(driven, disk);
  });
  if (!calls.hasWritten) return null;
  return disk.handlers.flush === undefined
    ? 'its files are synced before a write is answered'
    : 'its files are synced before a flush, or a write with fua, is answered';
}

async function writeDurably(driven: Driven, disk: Disk): Promise<void> {
  const { handlers, calls } = disk;
  const { offset, length } = place(disk, 16);
  const hasZeroes = handlers.writeZeroes !== undefined;
  await driven.write(offset, length);
  if (handlers.flush === undefined) {
    requireSynced(calls, 'a write is answered before', 'without `flush`, a client takes it for durable');
    if (hasZeroes) await driven.writeZeroes(offset, length, { unmap: true, fua: false });
    requireSynced(calls, 'a writeZeroes is answered before', 'without `flush`, a client takes it for durable');
    return;
  }
  await driven.flush();
  requireSynced(calls, 'a flush is answered before', 'a sync of the file is missing');
  await driven.write(offset, length, true);
  requireSynced(calls, 'a write with `fua` is answered before', 'a sync of the file is missing');
  if (hasZeroes) await driven.writeZeroes(offset, length, { unmap: true, fua: true });
  requireSynced(calls, 'a writeZeroes with `fua` is answered before', 'a sync of the file is missing');
}

function requireSynced(calls: FileCalls, what: string, why: string): void {
  const [file] = calls.unsynced();
  if (file !== undefined) throw new Misbehaviour(`${what} the data in ${file} is durable: ${why}`);
}

interface Trial {
  readonly kind: CallKind;
  readonly code: 'EIO' | 'ENOSPC';
  readonly run: (driven: Driven, disk: Disk) => Promise<void>;
  readonly isFor: (disk: Disk) => boolean;
}

const TRIALS: readonly Trial[] = [
  { kind: 'read', code: 'EIO', run: (driven, { block }) => driven.read(0, block), isFor: () => true },
  { kind: 'write', code: 'ENOSPC', run: (driven, { block }) => driven.write(0, block), isFor: ({ writes }) => writes },
  {
    kind: 'sync',
    code: 'EIO',
    run: (driven) => driven.flush(),
    isFor: ({ writes, handlers }) => writes && handlers.flush !== undefined,
  },
];

/** A call of the target's on a file fails: its request fails in a way that has a name, or is right all the same. */
export async function errors(driven: Driven, disk: Disk): Promise<string | null> {
  // A target can take an error as a reason to change what it has stored.
  const { writes, calls } = disk;
  if (!writes) return null;
  const said: string[] = [];
  for (const trial of TRIALS.filter(({ isFor }) => isFor(disk))) {
    const { kind, code } = trial;
    const outcome = await calls.watch(() => tried(trial, driven, disk));
    if (outcome !== null) said.push(`a ${kind} fails with ${code}: ${outcome}`);
    await driven.write(0, disk.block);
    await driven.read(0, disk.block);
  }
  return said.length === 0 ? null : said.join('; ');
}

/** What becomes of a call that fails; null when the target has made no such call. */
async function tried({ kind, code, run }: Trial, driven: Driven, disk: Disk): Promise<string | null> {
  disk.calls.failNext(kind, code);
  const thrown = await causeOf(run(driven, disk));
  if (!disk.calls.takeFailed()) return null;
  if (thrown !== undefined) return `the client gets ${nameOf(thrown)}`;
  await driven.read(0, disk.block);
  return 'the client sees nothing of it';
}

/** What the target has thrown; undefined when the request is done. What the target does wrong is thrown. */
async function causeOf(request: Promise<void>): Promise<unknown> {
  try {
    await request;
    return undefined;
  } catch (error) {
    if (error instanceof Misbehaviour && error.cause !== undefined) return error.cause;
    throw error;
  }
}

function nameOf(thrown: unknown): string {
  const errno = errnoOf(thrown);
  return BLOCK_ERROR_CODES.find((code) => ERRNO[code] === errno) ?? 'EIO';
}
