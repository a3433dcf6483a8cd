/**
 * Runs the kernel's selftests in the guest, unmodified, with ublkts in kublk's place, and prints what becomes of them as
 * lines of JSON (result.ts).
 */
import { parseArgs } from 'node:util';
import { matches } from '../harness/matches.ts';
import { hasDeadline } from './deadlines.ts';
import { groupOf, GROUPS, readGroups } from './groups.ts';
import type { Message, Program } from './result.ts';
import { runTest } from './run-test.ts';
import { listTests, suiteOf, timeoutOfSuite } from './suite.ts';

/** An emulated machine is that much slower than the one that the suite's limit is for. */
const SLOWNESS = 4;

const { values, positionals: patterns } = parseArgs({
  allowPositionals: true,
  options: {
    /** `1/3`: the second third of the tests. */
    share: { type: 'string', default: '0/1' },
    /** `ordinary,long` (groups.ts). */
    groups: { type: 'string', default: GROUPS.join(',') },
    /** `with`: only those that have a deadline (deadlines.ts); `without`: only the others. */
    deadlines: { type: 'string', default: 'without' },
    program: { type: 'string', multiple: true, default: ['ublkts'] },
  },
});

const [share = 0, shares = 1] = values.share.split('/').map(Number);
const groups = readGroups(values.groups);
const plan = listTests()
  .filter((test) => groups.includes(groupOf(test)))
  .filter((test) => (values.deadlines === 'with') === hasDeadline(test))
  .filter((test) => matches(`test_${test}.sh`, patterns))
  .filter((_test, index) => index % shares === share);
tell({ plan });

const programs = values.program as Program[];
const folders = new Map(programs.map((program) => [program, suiteOf(program)]));
for (const test of plan) {
  for (const [program, folder] of folders) {
    tell(await runTest({ test, program, folder, timeoutSeconds: timeoutOfSuite() * SLOWNESS }));
  }
}

function tell(message: Message): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
