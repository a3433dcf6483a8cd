/** Checks that the named CPUs are online, because sched_setaffinity ignores those that are not. */
import { readFileSync } from 'node:fs';
import { usageError } from '../errors.ts';
import { option } from '../spec/option-names.ts';
import { formatCpuList, parseCpuList } from './cpu-list.ts';

const ONLINE = '/sys/devices/system/cpu/online';

/** Throws for the first of `cpus` that is not among `online`. */
export function requireCpus(cpus: readonly number[], online = onlineCpus()): void {
  const missing = cpus.find((cpu) => !online.includes(cpu));
  if (missing !== undefined) {
    throw usageError(
      [option('cpus'), ` ${missing}: there is no CPU ${missing} here, or it is offline`],
      `the CPUs are ${formatCpuList(online)}`,
    );
  }
}

function onlineCpus(): number[] {
  return parseCpuList(readFileSync(ONLINE, 'latin1'));
}
