/** Runs one of the kernel's selftests, as its own runner does, and looks at what it leaves behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { KernelLog } from '../guest/kernel-log.ts';
import { leftovers } from '../guest/leftovers.ts';
import type { Outcome, Program, Result } from './result.ts';
import { deleteAllDevices } from './suite.ts';

export interface TestRun {
  readonly test: string;
  readonly program: Program;
  /** The suite's folder: its tests find their files and the program there. */
  readonly folder: string;
  readonly timeoutSeconds: number;
}

const SKIPPED = 4;
const SHOWN_LINES = 40;

export async function runTest({ test, program, folder, timeoutSeconds }: TestRun): Promise<Result> {
  const log = new KernelLog();
  const started = performance.now();
  const ended = await runScript(folder, `./test_${test}.sh`, timeoutSeconds);
  const seconds = (performance.now() - started) / 1000;

  const left = await leftovers();
  const complaints = log.complaints();
  const wrong = [
    ...ending(ended, timeoutSeconds),
    ...left.map((what) => `left ${what} behind`),
    ...(complaints.length > 0 ? [`the kernel: ${complaints[0]}`] : []),
  ];
  if (left.some((what) => what.startsWith('device'))) deleteAllDevices();

  const outcome: Outcome = wrong.length > 0 ? 'fail' : ended.code === SKIPPED ? 'skip' : 'pass';
  return {
    test,
    program,
    outcome,
    seconds,
    ...(outcome === 'skip' && { reason: lastWords(ended.output) }),
    ...(outcome === 'fail' && { reason: wrong.join('; '), output: evidence(ended.output, log.lines()) }),
  };
}

interface Ended {
  /** null when it did not end by itself. */
  readonly code: number | null;
  readonly output: string;
}

async function runScript(folder: string, script: string, timeoutSeconds: number): Promise<Ended> {
  const scratch = mkdtempSync('/tmp/selftest-');
  const file = `${scratch}/output`;
  // A file and not a pipe: a server that the test leaves behind would keep a pipe open.
  const output = openSync(file, 'w');
  const child = spawn(script, { cwd: folder, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  const timer = setTimeout(() => killGroup(child.pid), timeoutSeconds * 1000);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(timer);
  const text = readFileSync(file, 'utf8');
  rmSync(scratch, { recursive: true });
  return { code, output: text };
}

function killGroup(pid: number | undefined): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}

function ending({ code }: Ended, timeoutSeconds: number): string[] {
  if (code === null) return [`did not end within ${timeoutSeconds} s`];
  return code === 0 || code === SKIPPED ? [] : [`exit code ${code}`];
}

/** Why a test skipped itself: it says so before its result, if at all. */
function lastWords(output: string): string {
  const lines = output
    .trim()
    .split('\n')
    .filter((line) => !/^ublk selftest: |\[SKIP\]$/.test(line));
  return (lines.at(-1) ?? '').replace(/^SKIP: /, '') || 'it does not say why';
}

function evidence(output: string, kernelLines: readonly string[]): string {
  const printed = output.trimEnd().split('\n').slice(-SHOWN_LINES);
  const kernel = kernelLines.slice(-SHOWN_LINES).map((line) => `kernel: ${line}`);
  return [...printed, ...kernel].join('\n');
}
