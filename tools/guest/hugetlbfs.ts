/** A file of huge pages that a server and fio share. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';

const HUGE_PAGES = '/proc/sys/vm/nr_hugepages';
const HUGE_PAGE = 2 * 1024 * 1024;

export interface HugeFile {
  readonly path: string;
  readonly bytes: number;
  readonly directory: string;
  /** Gives the pages back. Call it when nobody maps them any more. */
  readonly remove: () => void;
}

/** Throws a sentence when the kernel has no memory for it. */
export function hugeFile(megabytes = 4): HugeFile {
  const before = Number(readFileSync(HUGE_PAGES, 'utf8'));
  const pages = Math.ceil((megabytes * 1024 * 1024) / HUGE_PAGE);
  const directory = mkdtempSync('/tmp/ublkts-huge-');
  const restore = (): void => {
    rmdirSync(directory);
    writeFileSync(HUGE_PAGES, String(before));
  };
  try {
    reserve(before + pages, pages);
    execFileSync('mount', ['-t', 'hugetlbfs', 'none', directory]);
  } catch (error) {
    restore();
    throw error;
  }
  const path = `${directory}/buffer`;
  execFileSync('fallocate', ['--length', `${megabytes}M`, path]);
  return {
    path,
    directory,
    bytes: megabytes * 1024 * 1024,
    remove: () => {
      rmSync(path, { force: true });
      execFileSync('umount', [directory]);
      restore();
    },
  };
}

/** The kernel takes its time to give back what another file had, and until then cannot always find more. */
function reserve(total: number, wanted: number): void {
  const deadline = performance.now() + 10_000;
  for (;;) {
    writeFileSync(HUGE_PAGES, String(total));
    const free = freeHugePages();
    if (free >= wanted) return;
    if (performance.now() > deadline) throw new Error(`the kernel found memory for ${free} of ${wanted} huge pages`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
}

function freeHugePages(): number {
  return Number(/^HugePages_Free:\s+(\d+)$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0);
}
