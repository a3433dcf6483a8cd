/** Which test files share a guest, and what a guest has. A guest takes as long to boot as a short file takes to run. */

/** The files of a line run one after another in one guest. They leave its kernel as they found it. */
const TOGETHER: readonly (readonly string[])[] = [
  ['nbd-child', 'nbd-hostile', 'nbd-kills', 'nbd-matrix', 'nbd-servers', 'nbd-tls'],
  ['bench', 'cpus', 'foreground', 'refusals', 'ring-chain', 'systemd'],
  ['closing', 'hung-files', 'stacked'],
  ['data-paths', 'handlers'],
  ['nbd', 'nbd-recover', 'nbd-resident', 'nbd-resize'],
  ['shared-memory', 'uapi'],
  ['chaos', 'differential', 'examples', 'matched-copied'],
  ['survival-files', 'survival-limits', 'survival-memory', 'survival-server'],
  ['target-contract', 'target-files', 'targets'],
  ['life', 'quiesce', 'recover-at-once', 'recovery'],
  ['open-server', 'resident', 'resident-many'],
];

/** What a guest has beyond the ordinary one. */
interface Equipment {
  /** Debian packages. With them, the guest has an image of its own, which is made the first time. */
  readonly packages?: readonly string[];
  readonly memory?: string;
}

const EQUIPMENT: Readonly<Record<string, Equipment>> = {
  // Two OSDs, each of which keeps some hundred megabytes of its disk in memory.
  'test/ceph/ceph.test.ts': {
    packages: ['ceph-common', 'ceph-mon', 'ceph-osd', 'qemu-block-extra'],
    memory: '5G',
  },
};

export interface TestGuest extends Equipment {
  readonly files: readonly string[];
}

/** The guests, in the order in which each has its first file. A file on no line has a guest of its own. */
export function perGuest(files: readonly string[]): TestGuest[] {
  const guests = new Map<string, string[]>();
  for (const file of files) {
    const line = TOGETHER.findIndex((names) => names.some((name) => file.endsWith(`/${name}.test.ts`)));
    const guest = line < 0 ? file : String(line);
    guests.set(guest, [...(guests.get(guest) ?? []), file]);
  }
  return [...guests.values()].map((together) => ({ ...equipmentOf(together), files: together }));
}

function equipmentOf(files: readonly string[]): Equipment {
  const needs = files.map((file) => EQUIPMENT[file]).filter((equipment) => equipment !== undefined);
  if (needs.length > 1) throw new Error(`${files.join(', ')}: more than one of them needs a guest of its own`);
  return needs[0] ?? {};
}
