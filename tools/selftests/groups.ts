/** The groups of the kernel's selftests, and who runs which: `npm test` only the ordinary ones. */

export const GROUPS = ['ordinary', 'long', 'stress'] as const;
export type Group = (typeof GROUPS)[number];

/**
 * One or two of each area, and short ones. The others take up to three minutes each on an emulated machine, and most repeat
 * what a test of ours does: the recover tests kill and quiesce servers as test/kernel/recovery.test.ts and
 * test/kernel/quiesce.test.ts do, and most of the rest write and verify on a data path, as test/kernel/data-paths.test.ts
 * does. Of those that no test of ours repeats, generic_02 and generic_12 watch with bpftrace the order of requests and the
 * thread that serves each.
 */
const ORDINARY: readonly string[] = [
  'batch_01',
  'batch_04',
  'generic_03',
  'generic_06',
  'generic_08',
  'generic_09',
  'generic_10',
  'generic_13',
  'generic_16',
  'generic_17',
  'integrity_01',
  'integrity_02',
  'loop_02',
  'null_01',
  'params_01',
  'part_02',
  'shmemzc_01',
  'shmemzc_04',
  'stripe_04',
];

/** `test` is a name without `test_` and `.sh`. */
export function groupOf(test: string): Group {
  if (test.startsWith('stress_')) return 'stress';
  return ORDINARY.includes(test) ? 'ordinary' : 'long';
}

/** Reads what a command line has: names with commas between them. */
export function readGroups(text: string): Group[] {
  const names = text.split(',');
  const unknown = names.find((name) => !GROUPS.some((group) => group === name));
  if (unknown !== undefined) throw new Error(`there is no group ${unknown}: ${GROUPS.join(', ')}`);
  return GROUPS.filter((group) => names.includes(group));
}
