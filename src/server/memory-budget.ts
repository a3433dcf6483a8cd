/**
 * Whether the machine has the memory that a device's I/O buffers can come to. They are mapped whole and backed page by
 * page as requests use them, so too many of them would not fail when the device starts, but under its first real load.
 *
 * In a control group with a memory limit, such a load can lose data. Where the group has nothing left and nobody to kill, because
 * a server is never killed, the driver copies only the part of a write for which the buffer has memory. The server
 * writes that part, and the driver then acknowledges the whole write (Linux 7.3, ublk_start_io and __ublk_complete_rq).
 * Neither the server nor the client sees it. With user_copy, a test in a full group had not ended after two minutes. So
 * the buffers have all of their memory before such a device is live.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Text, UblkError } from '../errors.ts';
import { formatSize } from '../sizes.ts';
import { option } from '../spec/option-names.ts';

export interface Memory {
  /** Bytes that this process could ever have. */
  readonly total: number;
  /** Bytes that it could have now. */
  readonly available: number;
  /** Bytes that it could have now before a control group slows it down (memory.high). No more than `available`. */
  readonly atSpeed: number;
  /** Whether a control group has a limit, which no other process's end can lift. */
  readonly limited: boolean;
}

export interface Buffers {
  readonly queues: number;
  readonly depth: number;
  /** Bytes of one request's buffer, with its integrity metadata. */
  readonly bytes: number;
}

/** The memory that a server needs besides its buffers, once it has served every kind of request. */
export const SERVER_BYTES = 24 << 20;

/** Whether all buffers are to have their memory before the device is live. */
export function needsBuffersAtOnce(mlock: boolean, { limited }: Memory): boolean {
  return mlock || limited;
}

/**
 * Notes about buffers that would not fit now, or would be slow to fill. Throws for buffers that never can fit, and for those
 * that are all to have their memory before the device is live and would not get it now: the out-of-memory killer would end
 * other programs for them, the one that is adding the device first, or the server would sleep while it fills them.
 */
export function checkBufferMemory(
  { queues, depth, bytes }: Buffers,
  mlock: boolean,
  memory: Memory = readMemory(),
): string[] {
  const all = queues * depth * bytes;
  const atOnce = needsBuffersAtOnce(mlock, memory);
  const others = memory.limited && atOnce && all > 0 ? SERVER_BYTES : 0;
  if (all + others <= memory.atSpeed) return [];
  const what = `the I/O buffers of ${queues} queues of ${depth} requests of ${formatSize(bytes)} come to ${formatSize(all)}`;
  if (all + others <= memory.available) {
    const slow = `${what}, and the control group slows down whoever needs more than another ${formatSize(memory.atSpeed)} (memory.high)`;
    if (atOnce) throw tooMuch(`${slow}: all of them need their memory now`);
    return [`${slow}: a full load may be slow`];
  }
  if (all > memory.total) throw tooMuch(`${what}, and there are ${formatSize(memory.total)} of memory`);
  const available = `${what}, and ${formatSize(memory.available)} of memory is available`;
  if (mlock) throw tooMuch([available, ': ', option('mlock'), ' needs it now']);
  if (atOnce) {
    const server = `the server itself needs ${formatSize(SERVER_BYTES)}`;
    throw tooMuch(`${available} in the control group: all of them need their memory now, and ${server}`);
  }
  return [`${available}: a full load may run out of it`];
}

function tooMuch(message: Text): UblkError {
  return new UblkError(message, {
    code: 'ENOMEM',
    kind: 'unsupported',
    command: 'mmap',
    hint: [
      'make ',
      option('depth'),
      ', ',
      option('queues'),
      ' or ',
      option('maxIoBufBytes'),
      ' smaller, or take a data path without buffers: ',
      option('dataPath'),
      ' auto_zc',
    ],
  });
}

/** The memory that the machine and the control groups of this process allow. */
export function readMemory(root = ''): Memory {
  const meminfo = readFileSync(`${root}/proc/meminfo`, 'latin1');
  const machine = { total: kibibytes('MemTotal:', meminfo), available: kibibytes('MemAvailable:', meminfo) };
  return groupsOf(root).reduce<Memory>(
    (memory, { max, high, current }) => ({
      total: Math.min(memory.total, max),
      available: Math.min(memory.available, Math.max(0, max - current)),
      atSpeed: Math.min(memory.atSpeed, Math.max(0, Math.min(max, high) - current)),
      limited: memory.limited || max < Infinity,
    }),
    { ...machine, atSpeed: machine.available, limited: false },
  );
}

/**
 * The same, with memory.high as a limit like another: a process that is over it sleeps for up to two seconds with each
 * 256 KiB more, also inside of a system call, and this never ends where nothing can be reclaimed.
 */
export function readMemoryAtSpeed(root = ''): Memory {
  const memory = readMemory(root);
  return { ...memory, available: memory.atSpeed, limited: memory.limited || memory.atSpeed < memory.available };
}

/** The process's control group (version 2) and those above it, as far as they have a limit. */
function groupsOf(root: string): { max: number; high: number; current: number }[] {
  const own = /^0::(\/.*)$/m.exec(readOr('', `${root}/proc/self/cgroup`))?.[1];
  if (own === undefined) return [];
  const groups: { max: number; high: number; current: number }[] = [];
  for (let path = own; path !== '/'; path = dirname(path)) {
    const folder = join(root, '/sys/fs/cgroup', path);
    const [max, high] = [bytesIn(`${folder}/memory.max`), bytesIn(`${folder}/memory.high`)];
    if (Math.min(max, high) < Infinity) groups.push({ max, high, current: usedIn(folder) });
  }
  return groups;
}

/** What a group uses, without the page cache of files, which makes room for what is needed. */
function usedIn(folder: string): number {
  const used = Number(readOr('0', `${folder}/memory.current`));
  const cached = [...readOr('', `${folder}/memory.stat`).matchAll(/^(?:in)?active_file (\d+)$/gm)];
  return Math.max(0, used - cached.reduce((sum, [, bytes]) => sum + Number(bytes), 0));
}

/** Infinity where the file says `max`, or there is none. */
function bytesIn(path: string): number {
  const bytes = Number(readOr('max', path));
  return Number.isNaN(bytes) ? Infinity : bytes;
}

function kibibytes(label: string, text: string): number {
  return Number(new RegExp(`^${label}\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.MAX_SAFE_INTEGER / 1024) * 1024;
}

function readOr(otherwise: string, path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return otherwise;
  }
}
