#!/usr/bin/env node
/**
 * `npm test`: style, unit tests, tests on a kernel with ublk in the lab (test/kernel, and test/ceph in a guest with a real
 * Ceph), the ordinary ones of the kernel's own selftests (selftests/groups.ts), and whether the hot path has kept its speed.
 * With words, it runs only the test files whose path has one of them in it. A word that begins with `test_` is looked for in
 * the names of the selftests too.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { runHere } from './harness/host.ts';
import { findTestFiles } from './test/files.ts';
import { hotPathTask } from './test/hot-path.ts';
import { perGuest, type TestGuest } from './test/guests.ts';
import { kernelTestTask } from './test/kernel-tests.ts';
import { prepareLab, runHarness } from './harness/lab.ts';
import { nodeTestArguments, readCounts } from './test/node-tests.ts';
import { OrderedOutput } from './harness/ordered-output.ts';
import { pool } from './harness/pool.ts';
import { tallyOf } from './selftests/report.ts';
import { trySelftestsAgain, tryFilesAgain } from './test/second-try.ts';
import { selftests, type SuiteOptions } from './selftests/suite-tasks.ts';
import { closingText, NOTHING, ONE_FAILED, sum, type Tally } from './harness/tally.ts';

/** The number of emulated guests at the same time. More guests than CPUs make tests of time fail. */
const GUESTS = 2;
/** A pattern that no name has in it. No pattern at all would mean every test. */
const NO_TEST = '/';
const CHECKS = ['typecheck', 'lint', 'format:check'];

const patterns = process.argv.slice(2);

await runHarness(async (scratch, signal) => {
  const started = performance.now();
  const tallies: Tally[] = [];
  const files = findTestFiles(patterns);
  const guests = perGuest(files.kernel);
  const ofSuite = patterns.filter((pattern) => pattern.startsWith('test_'));
  // On a new machine this takes minutes, in which the tests that need no lab run. A guest with packages of its own has
  // another image.
  const isPlain = patterns.length === 0 || ofSuite.length > 0 || guests.some(({ packages }) => packages === undefined);
  const lab = isPlain ? prepareLab(signal) : undefined;
  lab?.catch(() => {});

  if (patterns.length === 0) {
    title('style');
    tallies.push(await checks(signal));
  }
  if (files.unit.length > 0) {
    title('unit tests');
    tallies.push(...(await unitTests(files.unit, scratch, signal)));
  }

  title('in the lab: tests of a real device, and the selftests of the kernel with ublkts as kublk');
  const output = new OrderedOutput((text) => process.stdout.write(text));
  const hotPath = patterns.length === 0 ? [hotPathTask(output, signal)] : [];
  const kernelTest = (guest: TestGuest) => kernelTestTask({ guest, output, scratch, signal });
  const kernelTasks = guests.map(kernelTest);
  await lab;
  const selftestOptions: SuiteOptions = {
    shares: patterns.length === 0 ? 2 * GUESTS : Math.min(1, ofSuite.length),
    groups: patterns.length === 0 ? ['ordinary'] : ['ordinary', 'long'],
    patterns: patterns.length === 0 ? [] : [...ofSuite, NO_TEST],
    measureReference: false,
    output,
    signal,
  };
  const suite = await selftests(selftestOptions);
  const counted = new Map<string, Tally>();
  const results = await pool(
    [
      ...hotPath.map((task) => async () => {
        tallies.push(await task());
        return [];
      }),
      ...kernelTasks.map((run) => async () => {
        for (const [file, tally] of await run()) counted.set(file, tally);
        return [];
      }),
      ...suite.tasks,
    ],
    GUESTS,
  );
  await tryFilesAgain(counted, kernelTest, title);
  const { text, ours } = await suite.finish(await trySelftestsAgain(results.flat(), selftestOptions, title));
  if (ours.length > 0) process.stdout.write(`\n${text}`);

  const tally = sum([...tallies, ...counted.values(), tallyOf(ours)]);
  process.stdout.write(closingText(tally, performance.now() - started));
  return tally.failed > 0 || tally.passed === 0 ? 1 : 0;
});

function title(text: string): void {
  process.stdout.write(`\n== ${text}\n`);
}

async function checks(signal: AbortSignal): Promise<Tally> {
  const tallies: Tally[] = [];
  for (const name of CHECKS) {
    const failed = await runHere('npm', ['run', '--silent', name], signal);
    process.stdout.write(`${failed ? '✖' : '✔'} npm run ${name}\n`);
    tallies.push(failed ? ONE_FAILED : { ...NOTHING, passed: 1 });
  }
  return sum(tallies);
}

async function unitTests(files: readonly string[], scratch: string, signal: AbortSignal): Promise<Iterable<Tally>> {
  const directory = path.join(scratch, 'unit');
  await mkdir(directory);
  const countsFile = path.join(directory, 'counts');
  const options = { files, countsFile, concurrency: 2, timeoutSeconds: 300 };
  await runHere(process.execPath, nodeTestArguments(options), signal);
  return (await readCounts(countsFile, files)).values();
}
