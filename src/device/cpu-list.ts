/** Linux's lists of CPUs (`0-3,8`), as `taskset -c` takes them and /sys/devices/system/cpu/online prints them. Pure. */
import { usageError } from '../errors.ts';
import { CPU_MASK_BYTES } from '../native/cpu-mask.ts';

/** The last CPU that a mask for the kernel has a bit for. */
const MAX_CPU = CPU_MASK_BYTES * 8 - 1;
const EXAMPLE = 'write numbers and ranges, for example 0-3,8';

/** The CPUs in ascending order, each once. */
export function parseCpuList(text: string): number[] {
  if (text.trim() === '') throw usageError('the list of CPUs is empty', EXAMPLE);
  const cpus = new Set(text.split(',').flatMap((part) => parsePart(part.trim(), text)));
  return [...cpus].sort((a, b) => a - b);
}

/** The shortest list of these CPUs, which are in order. */
export function formatCpuList(cpus: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const cpu of cpus) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === cpu - 1) range[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

function parsePart(part: string, list: string): number[] {
  if (part === '') throw usageError(`${JSON.stringify(list)} has a comma with no CPU beside it`, EXAMPLE);
  const [from = '', to = from, ...more] = part.split('-');
  if (more.length > 0) throw usageError(`${JSON.stringify(part)} is not a range of CPUs`, EXAMPLE);
  const [first, last] = [parseCpu(from.trim(), part), parseCpu(to.trim(), part)];
  if (last < first) throw usageError(`${part} goes backwards`, `write ${last}-${first}`);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function parseCpu(text: string, part: string): number {
  if (!/^\d+$/.test(text)) throw usageError(`${JSON.stringify(part)} is not the number of a CPU`, EXAMPLE);
  const cpu = Number(text);
  if (cpu > MAX_CPU) throw usageError(`CPU ${text} is out of range`, `CPUs go from 0 to ${MAX_CPU}`);
  return cpu;
}
