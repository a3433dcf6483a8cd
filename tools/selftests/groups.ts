/** The groups of the kernel's selftests, and who runs which: `npm test` only the ordinary ones. */

export const GROUPS = ['ordinary', 'repeating', 'stress'] as const;
export type Group = (typeof GROUPS)[number];

/**
 * They do what recover_01 does, with -z and with -u instead of the copy path, and take up to five minutes each on an
 * emulated machine. The rounds of chaos that `npm test` has kill servers on those data paths, too.
 */
const REPEATING: readonly string[] = ['recover_02', 'recover_04'];

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
