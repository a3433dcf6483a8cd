/** Reads what a process holds: what grows when something is not given back. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Holding {
  readonly descriptors: number;
  readonly mappings: number;
  /** Private memory that was written to. */
  readonly privateKb: number;
}

export function held(pid: number): Holding {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    mappings: readFileSync(`/proc/${pid}/maps`, 'latin1').trimEnd().split('\n').length,
    privateKb: Number(/^Private_Dirty:\s+(\d+)/m.exec(rollup)?.[1]),
  };
}
