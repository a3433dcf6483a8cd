/**
 * Checks a target on a thread of its own (main.ts), as a server runs the code of a target, too. The command stays able to
 * answer: code that never returns, or that takes all memory, ends the thread and is a finding.
 */
import { Worker } from 'node:worker_threads';
import { withinMs } from '../../control/waiting.ts';
import { packagePath } from '../../package-root.ts';
import { decodeError } from '../../protocol/error-wire.ts';
import { ownTargetFile } from '../find.ts';
import type { CheckOptions, Finding } from './check.ts';
import { type Begun, isCheckMessage } from './messages.ts';

/** The command waits for this much longer than the thread, which finds promises that do not settle itself. */
const GRACE_SECONDS = 5;
/** How long the thread has to end. Node cannot end one that waits in the kernel; the command ends without it (bin/run.js). */
const END_MS = 500;

/**
 * Throws a UblkError for a target that cannot be loaded or opened; what it does wrong afterwards is a finding. `options.files`:
 * absolute paths.
 */
export async function checkOnThread(name: string, options: CheckOptions): Promise<Finding[]> {
  const file = await ownTargetFile(name);
  leaveDeletedDirectory();
  // The output of the target goes to stderr, because stdout has the results.
  const worker = new Worker(packagePath('dist/targets/check/main.cjs'), {
    workerData: { file, options },
    stdout: true,
    trackUnmanagedFds: false,
  });
  worker.stdout.pipe(process.stderr, { end: false });
  try {
    return await findingsOf(worker);
  } finally {
    await withinMs(worker.terminate(), END_MS, undefined);
  }
}

/** Node asks for the current directory when it starts a thread. No name needs it any more, and servers run in / as well. */
function leaveDeletedDirectory(): void {
  try {
    process.cwd();
  } catch {
    process.chdir('/');
  }
}

function findingsOf(worker: Worker): Promise<Finding[]> {
  const all = Promise.withResolvers<Finding[]>();
  const findings: Finding[] = [];
  let begun: Begun | undefined;
  let timer: NodeJS.Timeout | undefined;
  const endsWith = (detail: string): void =>
    all.resolve([...findings, { name: begun?.part ?? 'device', status: 'fail', detail, hint: null }]);
  worker.on('message', (message: unknown) => {
    if (!isCheckMessage(message)) return;
    clearTimeout(timer);
    if (message.kind === 'begun') {
      begun = message;
      const { what, seconds } = message;
      const late = (): void =>
        endsWith(`${what} has not returned within ${seconds} s: an endless loop, or a call that blocks`);
      timer = setTimeout(late, (seconds + GRACE_SECONDS) * 1000);
    } else if (message.kind === 'found') findings.push(message.finding);
    else if (message.kind === 'done') all.resolve(findings);
    else all.reject(Object.assign(decodeError(message.error), { cause: message.cause }));
  });
  worker.on('error', (error) => {
    // Without a call of the target's, the thread could not be started.
    if (begun === undefined) all.reject(error);
    else endsWith(`${begun.what} has ended its thread: ${error.message}`);
  });
  // The thread tells what it has found before it ends by itself.
  worker.on('exit', () => {
    if (begun === undefined) all.reject(new Error('the thread of the check has ended before it began'));
    else endsWith(`${begun.what} has called process.exit: this would end the server, with all of the device`);
  });
  return all.promise.finally(() => clearTimeout(timer));
}
