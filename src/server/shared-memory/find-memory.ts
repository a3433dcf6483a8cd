/**
 * Finds the memory of a registered buffer again after a crash: by its path, or in whoever has it open or mapped.
 *
 * A memfd has no path, but a request that lies in one has an owner who maps it: were the new server to give the memory
 * up, that request, which the kernel kept for it, could not be served. So /proc is looked through, once for all buffers.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { firstHole } from '../../native/libc/calls.ts';
import { type MappedMemory, mapFile } from '../../native/memory.ts';
import { HUGETLBFS_MAGIC, TMPFS_MAGIC } from '../../native/uapi/fs.ts';
import { pageFingerprint } from './page-fingerprint.ts';
import { fileNumbersOf } from './shared-file.ts';
import type { StoredBuffer } from '../../record/device-record.ts';

export interface FoundMemory {
  readonly memory: MappedMemory;
  /** The caller's. */
  readonly fd: number;
}

/** Looks through /proc once for all buffers of a device, and only as far as it has to. */
export class MemorySearch {
  readonly #inodes: ReadonlySet<string>;
  /** The processes that have not been looked into yet; undefined before the first look. */
  #unseen: string[] | undefined;
  /** By inode: where the processes so far have a file of that number open or mapped. */
  readonly #seen = new Map<string, string[]>();

  constructor(buffers: readonly StoredBuffer[]) {
    this.#inodes = new Set(buffers.map(({ inode }) => inode));
  }

  /** Returns null when nobody has the memory any more. */
  find(buffer: StoredBuffer): FoundMemory | null {
    for (const path of this.#candidates(buffer)) {
      const found = mapIfSame(path, buffer);
      if (found !== null) return found;
    }
    return null;
  }

  *#candidates({ path, kept, inode }: StoredBuffer): Generator<string> {
    // The path of memory that a server kept names a descriptor of that server, and another process may have the number by now.
    if (path !== null && !kept) yield path;
    yield* this.#seen.get(inode) ?? [];
    this.#unseen ??= entries('/proc').filter((name) => /^\d+$/.test(name));
    for (let pid = this.#unseen.shift(); pid !== undefined; pid = this.#unseen.shift()) {
      const before = this.#seen.get(inode)?.length ?? 0;
      this.#lookInto(pid);
      yield* this.#seen.get(inode)?.slice(before) ?? [];
    }
  }

  #lookInto(pid: string): void {
    for (const [inode, path] of [...openIn(pid, this.#inodes), ...mappedIn(pid, this.#inodes)]) {
      const paths = this.#seen.get(inode);
      if (paths === undefined) this.#seen.set(inode, [path]);
      else paths.push(path);
    }
  }
}

type Sighting = readonly [inode: string, path: string];

function openIn(pid: string, inodes: ReadonlySet<string>): Sighting[] {
  return entries(`/proc/${pid}/fd`).flatMap((fd): Sighting[] => {
    const path = `/proc/${pid}/fd/${fd}`;
    const inode = isInMemory(path) ? inodeOf(path) : null;
    return inode !== null && inodes.has(inode) ? [[inode, path]] : [];
  });
}

function mappedIn(pid: string, inodes: ReadonlySet<string>): Sighting[] {
  return contents(`/proc/${pid}/maps`)
    .split('\n')
    .flatMap((line): Sighting[] => {
      // address perms offset dev inode path
      const [range, , , , inode] = line.split(/\s+/, 5);
      if (inode === undefined || range === undefined || !inodes.has(inode)) return [];
      // maps pads addresses with zeros, map_files does not.
      return [[inode, `/proc/${pid}/map_files/${range.replaceAll(/\b0+(?=[0-9a-f])/g, '')}`]];
    });
}

/** A deleted file or a memfd: nothing else is looked for here, and asking a network file system could take for ever. */
function isInMemory(path: string): boolean {
  try {
    return readlinkSync(path).endsWith(' (deleted)');
  } catch {
    return false;
  }
}

function inodeOf(path: string): string | null {
  try {
    return String(statSync(path, { bigint: true }).ino);
  } catch {
    return null;
  }
}

function isSameFile(path: string, { device, inode, length }: StoredBuffer): boolean {
  try {
    const stat = statSync(path, { bigint: true });
    const numbers = fileNumbersOf(stat);
    // A file that has grown has the pages that it had, and its client goes on to use them.
    return numbers.device === device && numbers.inode === inode && Number(stat.size) >= length;
  } catch {
    return false;
  }
}

function mapIfSame(path: string, buffer: StoredBuffer): FoundMemory | null {
  if (!isSameFile(path, buffer)) return null;
  let fd: number;
  try {
    fd = openSync(path, buffer.readOnly ? constants.O_RDONLY : constants.O_RDWR);
  } catch {
    return null;
  }
  let memory: MappedMemory | undefined;
  try {
    if (fstatSync(fd).isFile() && !hasHoles(fd, buffer.length)) {
      memory = mapFile(fd, buffer.length, `of ${buffer.source}`, { readOnly: buffer.readOnly, populate: true });
      if (pageFingerprint(memory) === buffer.pages) return { memory, fd };
    }
  } catch {
    // It cannot be mapped: as good as gone.
  }
  memory?.unmap();
  closeSync(fd);
  return null;
}

/**
 * Registered pages have memory, so a hole means that the file was cut short meanwhile, and mapping it would fill as much
 * memory as it once had. A file on a disk may have had holes before.
 */
function hasHoles(fd: number, length: number): boolean {
  const { type } = statfsSync(`/proc/self/fd/${fd}`);
  if (type !== TMPFS_MAGIC && type !== HUGETLBFS_MAGIC) return false;
  // hugetlbfs knows how much memory a file has, and not where its holes are.
  return fstatSync(fd).blocks * 512 < length || firstHole(fd) < length;
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function contents(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
