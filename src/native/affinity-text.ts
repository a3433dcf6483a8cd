/** Says what the kernel has made of a list of CPUs: it leaves out those that are offline or outside of the cpuset (sched_setaffinity(2)). */
import { getAffinity } from './libc/calls.ts';
import { ERRNO, errnoText } from './uapi/errno.ts';

/** Says why the kernel refused a list of CPUs. */
export function affinityText(errno: number): string {
  if (errno !== ERRNO.EINVAL) return errnoText(errno);
  return `none of these CPUs is online and in the cpuset of the control group (${errnoText(errno)})`;
}

/** A note for the calling thread if it was not given all of `cpus`, which it was bound to. */
export function narrowedAffinity(cpus: readonly number[]): string[] {
  if (cpus.length === 0) return [];
  const allowed = getAffinity();
  const missing = cpus.filter((cpu) => !allowed.includes(cpu));
  if (missing.length === 0) return [];
  const which = missing.length === 1 ? `CPU ${missing[0]} is` : `CPUs ${missing.join(', ')} are`;
  return [`${which} offline, or not in the cpuset of the control group, and not used`];
}
