/** The groups of the kernel's selftests, and who runs which: `npm test` only the ordinary ones. */

export const GROUPS = ['ordinary', 'repeating', 'stress'] as const;
export type Group = (typeof GROUPS)[number];

/**
 * They repeat what another test does, and take one to five minutes each on an emulated machine: the recover tests kill and
 * quiesce servers as test/kernel/recovery.test.ts, test/kernel/quiesce.test.ts and the rounds of chaos that `npm test` has
 * do, loop_05 is loop_01 with two queues, and the other loop and stripe tests are loop_01 on data paths and a target that
 * test/kernel/data-paths.test.ts verifies too.
 */
const REPEATING: readonly string[] = [
  'recover_01',
  'recover_02',
  'recover_03',
  'recover_04',
  'loop_03',
  'loop_05',
  'loop_06',
  'loop_08',
  'stripe_01',
  'stripe_03',
  'stripe_05',
];

/** `test` is a name without `test_` and `.sh`. */
export function groupOf(test: string): Group {
  if (test.startsWith('stress_')) return 'stress';
  return REPEATING.includes(test) ? 'repeating' : 'ordinary';
}

/** Reads what a command line has: names with commas between them. */
export function readGroups(text: string): Group[] {
  const names = text.split(',');
  const unknown = names.find((name) => !GROUPS.some((group) => group === name));
  if (unknown !== undefined) throw new Error(`there is no group ${unknown}: ${GROUPS.join(', ')}`);
  return GROUPS.filter((group) => names.includes(group));
}
