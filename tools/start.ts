#!/usr/bin/env node
/** `npm start`: the main job (start/job.ts) in the lab; with --host on this machine, whose kernel then must have ublk. */
import { parseArgs } from 'node:util';
import { runHere } from './harness/host.ts';
import { inGuest, runHarness } from './harness/lab.ts';

const JOB = 'tools/start/job.ts';

await runHarness(async (_scratch, signal) => {
  const { values } = parseArgs({ options: { host: { type: 'boolean', default: false } } });
  const exitCode = values.host ? await runHere(process.execPath, [JOB], signal) : await runInLab(signal);
  if (exitCode === 0) process.stdout.write('`npm run demo` shows such a device live, in the monitor.\n');
  return exitCode;
});

function runInLab(signal: AbortSignal): Promise<number> {
  return inGuest({
    command: ['node', JOB],
    timeoutSeconds: 600,
    onStdout: (chunk) => void process.stdout.write(chunk),
    onStderr: (chunk) => void process.stderr.write(chunk),
    signal,
  });
}
