/** The groups of the kernel's selftests, and who runs which: `npm test` only the ordinary ones. */

export const GROUPS = ['ordinary', 'long', 'stress'] as const;
export type Group = (typeof GROUPS)[number];

/**
 * They take one to five minutes each on an emulated machine. Most repeat what a test of ours does: the recover tests kill
 * and quiesce servers as test/kernel/recovery.test.ts and test/kernel/quiesce.test.ts do; generic_07 and the loop, stripe
 * and shmemzc tests write and verify as test/kernel/data-paths.test.ts and test/kernel/shared-memory.test.ts do. generic_02
 * and generic_12 watch with bpftrace the order of requests and the thread that serves each.
 */
const LONG: readonly string[] = [
  'recover_01',
  'recover_02',
  'recover_03',
  'recover_04',
  'generic_02',
  'generic_07',
  'generic_12',
  'loop_01',
  'loop_03',
  'loop_05',
  'loop_06',
  'loop_08',
  'stripe_01',
  'stripe_03',
  'stripe_05',
  'shmemzc_02',
  'shmemzc_03',
];

/** `test` is a name without `test_` and `.sh`. */
export function groupOf(test: string): Group {
  if (test.startsWith('stress_')) return 'stress';
  return LONG.includes(test) ? 'long' : 'ordinary';
}

/** Reads what a command line has: names with commas between them. */
export function readGroups(text: string): Group[] {
  const names = text.split(',');
  const unknown = names.find((name) => !GROUPS.some((group) => group === name));
  if (unknown !== undefined) throw new Error(`there is no group ${unknown}: ${GROUPS.join(', ')}`);
  return GROUPS.filter((group) => names.includes(group));
}
