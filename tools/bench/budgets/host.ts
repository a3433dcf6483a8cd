/**
 * Measures what it costs to start a command on this machine, in CPU time of its process. Wall-clock time would depend
 * on who else uses the machine. Bare Node, `list` and `features` take turns, so that a busy moment meets all of them.
 *
 * Without ublk the two commands end with an error after all of their start-up. That is measured then, and the output
 * says so.
 */
import { spawnSync } from 'node:child_process';
import { ROOT } from '../../harness/root.ts';
import { median } from '../median.ts';
import { BUDGETS, type Figure } from './figures.ts';

const RUNS = 15;

interface Subject {
  readonly words: readonly string[];
  readonly times: number[];
  failed: boolean;
}

export function startUpHere(runs = RUNS): Figure[] {
  const program = `${ROOT}bin/run.js`;
  const node = subject('-e', '0');
  const list = subject(program, 'list');
  const features = subject(program, 'features');
  const subjects = [node, list, features];
  // The first run fills the compile cache.
  for (const { words } of subjects) cpuTime(words);
  for (let run = 0; run < runs; run++) {
    for (const one of subjects) {
      const { ms, failed } = cpuTime(one.words);
      one.times.push(ms);
      one.failed = failed;
    }
  }
  const bare = median(node.times);
  return [figureOf('list', list, bare), figureOf('features', features, bare)];
}

function subject(...words: string[]): Subject {
  return { words, times: [], failed: false };
}

function figureOf(name: 'list' | 'features', { times, failed }: Subject, bare: number): Figure {
  const ms = median(times);
  const ended = failed ? '; no ublk here, so it ends with an error' : '';
  return {
    what: `\`${name}\`, CPU time`,
    budget: BUDGETS[name],
    figure: ms / bare,
    unit: 'x node',
    note: `${ms} ms, bare Node ${bare} ms, medians of ${times.length} runs, warm compile cache${ended}`,
  };
}

/** User and system time: bash has it of a process that it ran, from its resource usage. */
function cpuTime(words: readonly string[]): { ms: number; failed: boolean } {
  const script = `TIMEFORMAT='%3U %3S'; time "$@" > /dev/null 2>&1`;
  const { stderr, status } = spawnSync('bash', ['-c', script, 'bash', process.execPath, ...words], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const [user = Number.NaN, system = Number.NaN] = stderr.trim().split(' ').map(Number);
  return { ms: Math.round((user + system) * 1000), failed: status !== 0 };
}
