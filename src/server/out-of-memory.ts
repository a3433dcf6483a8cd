/**
 * Keeps a server alive on a machine that has run out of memory: the out-of-memory killer passes it
 * over, and the pages of its code and its buffers that it has used stay where they are. Were they reclaimed, the request
 * that is to write others out would wait for them.
 *
 * A built-in target allocates nothing while it serves, so to kill its server frees nothing, and takes a disk away. The code
 * in a file can leak. With a score of -500 its server is passed over until it takes half of the memory, and then a leak
 * ends it and not all others first (docs/operating.md).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { UblkError } from '../errors.ts';
import { hasCapability } from '../native/capabilities.ts';
import { lockOnFault, type MappedMemory, populate } from '../native/memory.ts';
import { errnoName, errnoText } from '../native/uapi/errno.ts';

const SCORE = '/proc/self/oom_score_adj';
const NEVER = -1000;
const LATE = -500;
const STEP = 100;

/**
 * Sets oom_score_adj as near as this process may to "never kill this one", or to "kill it late" when the target is in the
 * file of somebody. Returns the notes that this calls for.
 */
export function avoidOutOfMemoryKiller(target: string): string[] {
  const wanted = isAbsolute(target) ? LATE : NEVER;
  const before = Number(readFileSync(SCORE, 'latin1'));
  for (let score = wanted; score < before; score += STEP) {
    try {
      writeFileSync(SCORE, String(score));
    } catch {
      continue;
    }
    if (score === wanted) return [];
    return [`oom_score_adj is ${score}: without CAP_SYS_RESOURCE it cannot be ${wanted}`];
  }
  if (before <= wanted) return [];
  return [`oom_score_adj stays ${before}: without CAP_SYS_RESOURCE it cannot be ${wanted}`];
}

/** Lets the out-of-memory killer end this server late, from now on, because it serves a target in a user's file. */
export function becomeKillable(): void {
  if (Number(readFileSync(SCORE, 'latin1')) < LATE) writeFileSync(SCORE, String(LATE));
}

/** Makes a process that the server has started a candidate like any other: it is not part of the data path. */
export function asOthersForOutOfMemoryKiller(pid: number | undefined): void {
  try {
    if (pid !== undefined) writeFileSync(`/proc/${pid}/oom_score_adj`, '0');
  } catch {
    // It has ended.
  }
}

/**
 * Locks the program's code, page by page as it is used. Returns the notes that this calls for.
 *
 * V8's heap is not locked (no mlockall): V8 gives pages back with madvise, which the kernel refuses on locked memory, and
 * V8 ends the process then.
 */
export function lockProgram(): string[] {
  if (!mayLock()) {
    return [`the server's memory is not locked: without CAP_IPC_LOCK the limit is ${lockLimit()} bytes (ulimit -l)`];
  }
  return lock(programMappings(readFileSync('/proc/self/maps', 'latin1')));
}

/** Locks the I/O buffers of a device in the same way. Where nothing may be locked, lockProgram has said so. */
export function lockBuffers(buffers: readonly MappedMemory[]): string[] {
  return mayLock() ? lock(buffers) : [];
}

function lock(mappings: readonly Pick<MappedMemory, 'address' | 'length'>[]): string[] {
  const errno = mappings.map(lockOnFault).find((refused) => refused !== 0);
  return errno === undefined ? [] : [`the server's memory is not all locked: mlock2: ${errnoText(errno)}`];
}

function mayLock(): boolean {
  return hasCapability('CAP_IPC_LOCK') || lockLimit() === 'unlimited';
}

/** RLIMIT_MEMLOCK: bytes, or `unlimited`. */
function lockLimit(): string | undefined {
  return /^Max locked memory\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
}

/** Gives all I/O buffers their memory, so that no request needs memory for its data any more. */
export function populateBuffers(buffers: readonly MappedMemory[]): void {
  const errno = buffers.map(populate).find((refused) => refused !== 0);
  if (errno === undefined) return;
  throw new UblkError(`there is no memory for all I/O buffers: madvise: ${errnoText(errno)}`, {
    code: errnoName(errno),
    kind: 'unsupported',
    command: 'madvise',
  });
}

/** The code and the constants of the program and its libraries in the text of /proc/PID/maps: private, and never written. */
export function programMappings(maps: string): { readonly address: bigint; readonly length: number }[] {
  const lines = maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ [1-9]\d*\s+\/.*$/gm);
  return [...lines].map(([, from, to]) => {
    const address = BigInt(`0x${from}`);
    return { address, length: Number(BigInt(`0x${to}`) - address) };
  });
}
