/** Whether the CPUs that were named are there: sched_setaffinity passes over those that are not, without a word. */
import { readFileSync } from 'node:fs';
import { usageError } from '../errors.ts';
import { formatCpuList, parseCpuList } from './cpu-list.ts';

const ONLINE = '/sys/devices/system/cpu/online';

/** Throws for the first of `cpus` that is not among `online`. */
export function requireCpus(cpus: readonly number[], online = onlineCpus()): void {
  const missing = cpus.find((cpu) => !online.includes(cpu));
  if (missing !== undefined) {
    throw usageError(`there is no CPU ${missing} here, or it is offline`, `the CPUs are ${formatCpuList(online)}`);
  }
}

function onlineCpus(): number[] {
  return parseCpuList(readFileSync(ONLINE, 'latin1'));
}
