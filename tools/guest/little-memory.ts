/** Makes a guest small for a while: huge pages, which cannot go to swap, take most of its memory. */
import { readFileSync, writeFileSync } from 'node:fs';

const HUGE_PAGES = '/proc/sys/vm/nr_hugepages';
const HUGE_PAGE_MB = 2;

/** Runs `work` while no more than about `leftMb` MB are available. */
export async function withLittleMemory<T>(leftMb: number, work: () => Promise<T>): Promise<T> {
  const before = readFileSync(HUGE_PAGES, 'utf8');
  const spare = Math.max(0, availableMb() - leftMb);
  writeFileSync(HUGE_PAGES, String(Number(before) + Math.floor(spare / HUGE_PAGE_MB)));
  try {
    return await work();
  } finally {
    writeFileSync(HUGE_PAGES, before);
  }
}

export function availableMb(): number {
  return Number(/MemAvailable:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) / 1024;
}
