/** Checks that the named CPUs are online, because sched_setaffinity ignores those that are not. */
import { readFileSync } from 'node:fs';
import { usageError } from '../errors.ts';
import { option } from '../spec/option-names.ts';
import { formatCpuList, parseCpuList } from './cpu-list.ts';

const POSSIBLE = '/sys/devices/system/cpu/possible';
const ONLINE = '/sys/devices/system/cpu/online';

/** Throws for the first of `cpus` that is not among `online`. */
export function requireCpus(cpus: readonly number[], online?: readonly number[]): void {
  if (cpus.length === 0) return;
  const present = online ?? onlineCpus();
  const missing = cpus.find((cpu) => !present.includes(cpu));
  if (missing !== undefined) {
    throw usageError(
      [option('cpus'), ` ${missing}: there is no CPU ${missing} here, or it is offline`],
      `the CPUs are ${formatCpuList(present)}`,
    );
  }
}

/** How many CPUs the kernel is prepared for, which is the most queues that a device gets. */
export function possibleCpus(): number {
  return (parseCpuList(readFileSync(POSSIBLE, 'latin1')).at(-1) ?? 0) + 1;
}

function onlineCpus(): number[] {
  return parseCpuList(readFileSync(ONLINE, 'latin1'));
}
