/** Which files of test/kernel share a guest: a guest takes as long to boot as a short file takes to run. */

/** The files of a line run one after another in one guest. They leave its kernel as they found it. */
const TOGETHER: readonly (readonly string[])[] = [
  ['nbd-child', 'nbd-hostile', 'nbd-kills', 'nbd-matrix', 'nbd-servers', 'nbd-tls'],
  ['bench', 'cpus', 'foreground', 'refusals', 'ring-chain'],
  ['chaos', 'differential', 'examples', 'matched-copied'],
  ['survival-files', 'survival-limits', 'survival-memory', 'survival-server'],
  ['target-contract', 'target-files', 'targets'],
  ['life', 'quiesce', 'recovery'],
  ['resident', 'resident-many'],
];

/** The files of each guest, in the order in which a guest has its first file. A file on no line has a guest of its own. */
export function perGuest(files: readonly string[]): string[][] {
  const guests = new Map<string, string[]>();
  for (const file of files) {
    const line = TOGETHER.findIndex((names) => names.some((name) => file.endsWith(`/${name}.test.ts`)));
    const guest = line < 0 ? file : String(line);
    guests.set(guest, [...(guests.get(guest) ?? []), file]);
  }
  return [...guests.values()];
}
