/** Makes a guest small for a while: huge pages, which cannot go to swap, take most of its memory. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const HUGE_PAGES = '/proc/sys/vm/nr_hugepages';
const HUGE_PAGE_MB = 2;

/** Runs `work` while no more than about `leftMb` MB are available. */
export async function withLittleMemory<T>(leftMb: number, work: () => Promise<T>): Promise<T> {
  const before = Number(readFileSync(HUGE_PAGES, 'utf8'));
  const spare = Math.max(0, availableMb() - leftMb);
  reserve(before + Math.floor(spare / HUGE_PAGE_MB));
  try {
    return await work();
  } finally {
    reserve(before);
  }
}

export function availableMb(): number {
  return Number(/MemAvailable:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) / 1024;
}

/** A program of its own writes the number: the kernel stops after the first page in a process with work of a ring pending. */
function reserve(pages: number): void {
  execFileSync('bash', ['-c', `echo ${pages} > ${HUGE_PAGES}`]);
}
