/** Reads the memory that would be free without a process. */
import { readFileSync } from 'node:fs';

const MB = 1024;

/** Private and written to. */
export function privateDirtyMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const sizes = [...text.matchAll(/^Private_Dirty:\s+(\d+) kB$/gm)].map(([, kb]) => Number(kb));
  return sizes.reduce((sum, kb) => sum + kb, 0) / MB;
}

/** Reads how much memory the kernel could still give out. */
export function availableMb(): number {
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) / MB;
}
