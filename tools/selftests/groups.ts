/** The groups of the kernel's selftests, and who runs which: `npm test` only the ordinary ones. */

export const GROUPS = ['ordinary', 'repeating', 'stress'] as const;
export type Group = (typeof GROUPS)[number];

/**
 * They repeat what another test does, and take one to five minutes each on an emulated machine: recover_02 and recover_04
 * are recover_01 with `-z` and with `-u` (the rounds of chaos that `npm test` has kill servers on those data paths),
 * recover_03 quiesces as test/kernel/quiesce.test.ts does, loop_05 is loop_01 with two queues, stripe_01 is stripe_03 with
 * one, and loop_06, loop_08 and stripe_05 are these two on data paths that test/kernel/data-paths.test.ts verifies too.
 */
const REPEATING: readonly string[] = [
  'recover_02',
  'recover_03',
  'recover_04',
  'loop_05',
  'loop_06',
  'loop_08',
  'stripe_01',
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
