/** The kernel's selftests as text. */
import { sum, type Tally } from '../harness/tally.ts';
import type { Outcome, Result } from './result.ts';

const MARKS: Readonly<Record<Outcome, string>> = { pass: '✔', fail: '✖', skip: '﹣' };

/** Formats a result: one line, and the details of a failure below it. `reference` is the result of kublk. */
export function resultText(result: Result, reference: Result | undefined): string {
  const { test, outcome, reason, output } = result;
  const beside = reference === undefined ? '' : `   kublk ${MARKS[reference.outcome]} ${seconds(reference)}`;
  const line = `${MARKS[outcome]} ${test.padEnd(14)} ${seconds(result)}${beside}${reason === undefined ? '' : `   ${reason}`}`;
  return `${line}\n${output === undefined ? '' : indented(output)}`;
}

/** Formats our results beside those of kublk, and lists where they differ. */
export function summaryText(ours: readonly Result[], reference: readonly Result[]): string {
  const both = [
    ...table('ublkts', ours),
    ...(reference.length > 0 ? table('kublk (reference)', reference) : []),
    ...ours.flatMap((result) =>
      difference(
        result,
        reference.find(({ test }) => test === result.test),
      ),
    ),
  ];
  return `${''.padEnd(18)} ${['passed', 'failed', 'skipped', 'time'].map((word) => word.padStart(8)).join('')}\n${both.join('\n')}\n`;
}

export function tallyOf(results: readonly Result[]): Tally {
  return sum(
    results.map(({ outcome }) => ({
      passed: Number(outcome === 'pass'),
      failed: Number(outcome === 'fail'),
      skipped: Number(outcome === 'skip'),
    })),
  );
}

function table(name: string, results: readonly Result[]): string[] {
  const { passed, failed, skipped } = tallyOf(results);
  const time = Math.round(results.reduce((total, result) => total + result.seconds, 0));
  const cells = [passed, failed, skipped, `${Math.floor(time / 60)}:${String(time % 60).padStart(2, '0')}`];
  return [`${name.padEnd(18)} ${cells.map((cell) => String(cell).padStart(8)).join('')}`];
}

function difference(ours: Result, reference: Result | undefined): string[] {
  if (reference === undefined || reference.outcome === ours.outcome) return [];
  return [`differs: ${ours.test}: ${VERBS[ours.outcome]} with ublkts, ${VERBS[reference.outcome]} with kublk`];
}

const VERBS: Readonly<Record<Outcome, string>> = { pass: 'passes', fail: 'fails', skip: 'is skipped' };

function seconds(result: Result): string {
  return `${result.seconds.toFixed(1).padStart(6)} s`;
}

function indented(text: string): string {
  return text.replace(/^/gm, '    ').concat('\n');
}
