/** The host's side of the kernel's selftests: several guests share them and report their results. */
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { inGuest } from '../harness/lab.ts';
import type { JobOutput } from '../harness/ordered-output.ts';
import { resultText } from './report.ts';
import type { Message, Part, Program, Result } from './result.ts';
import type { Group } from './groups.ts';

export interface Share {
  readonly part: Part;
  readonly groups: readonly Group[];
  readonly patterns: readonly string[];
  /** The programs in their order, one test at a time. */
  readonly programs: readonly Program[];
  /** The known results of kublk. */
  readonly reference: ReadonlyMap<string, Result>;
  readonly output: JobOutput;
  readonly signal: AbortSignal;
}

/** Runs one guest's share of the suite and shows each result as it comes. */
export async function runShare({ part, groups, patterns, programs, ...rest }: Share): Promise<Result[]> {
  const { output, signal } = rest;
  const reference = new Map(rest.reference);
  const results: Result[] = [];
  let plan: readonly string[] | undefined;
  const hear = (message: Message): void => {
    if ('plan' in message) plan = message.plan;
    else {
      results.push(message);
      if (message.program === 'kublk') reference.set(message.test, message);
      else output.write(resultText(message, reference.get(message.test)));
    }
  };
  const pipe = new PassThrough();
  const heard = hearLines(pipe, hear, output);
  const which = part === 'deadlines' ? '--deadlines=with' : `--share=${part.share}/${part.shares}`;
  const options = [which, `--groups=${groups.join(',')}`, ...programs.map((name) => `--program=${name}`)];
  await inGuest({
    command: ['node', 'tools/selftests/guest.ts', ...options, '--', ...patterns],
    instructions: part === 'deadlines',
    timeoutSeconds: 3600,
    onStdout: (chunk) => void pipe.write(chunk),
    onStderr: output.write,
    signal,
  });
  pipe.end();
  await heard;
  const told = new Set(results.filter(({ program }) => program === 'ublkts').map(({ test }) => test));
  const lost = plan === undefined ? [lostPart(part)] : plan.filter((test) => !told.has(test)).map(lostTest);
  for (const result of lost) output.write(resultText(result, reference.get(result.test)));
  output.end();
  return [...results, ...lost];
}

/** Its guest has not even said which tests it was going to run. */
function lostPart(part: Part): Result {
  return { ...lostTest('(a share of the suite)'), lostPart: part };
}

function lostTest(test: string): Result {
  return { test, program: 'ublkts', outcome: 'fail', seconds: 0, reason: 'the guest ended before it' };
}

/** Shows lines that are not JSON, such as a warning of Node or how a guest ended. */
async function hearLines(pipe: PassThrough, hear: (message: Message) => void, output: JobOutput): Promise<void> {
  for await (const line of createInterface({ input: pipe })) {
    if (line.startsWith('{')) hear(JSON.parse(line) as Message);
    else output.write(`${line}\n`);
  }
}
