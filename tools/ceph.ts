#!/usr/bin/env node
/**
 * `npm run test:ceph`: the tests of test/ceph, with a real Ceph in the guest. They have an image of their own, with Debian's
 * packages of Ceph in it. It is made the first time, and the ordinary image stays as small as it is.
 */
import { runHarness } from './harness/lab.ts';
import { OrderedOutput } from './harness/ordered-output.ts';
import { closingText, sum } from './harness/tally.ts';
import { CEPH_PACKAGES } from './test/ceph-packages.ts';
import { kernelTestTask } from './test/kernel-tests.ts';

const FILE = 'test/ceph/ceph.test.ts';
/** Two OSDs, each of which keeps some hundred megabytes of its disk in memory. */
const MEMORY = '5G';

await runHarness(async (scratch, signal) => {
  const started = performance.now();
  const output = new OrderedOutput((text) => process.stdout.write(text));
  const counted = await kernelTestTask({
    files: [FILE],
    packages: CEPH_PACKAGES,
    memory: MEMORY,
    output,
    scratch,
    signal,
  })();
  const tally = sum([...counted.values()]);
  process.stdout.write(closingText(tally, performance.now() - started));
  return tally.failed > 0 || tally.passed === 0 ? 1 : 0;
});
