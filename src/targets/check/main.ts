/** The entry point of the thread of a check: it runs the code of the target, and tells its command of each step. */
import { parentPort, workerData } from 'node:worker_threads';
import { encodeError } from '../../protocol/error-wire.ts';
import { type CheckOptions, checkTarget } from './check.ts';
import type { CheckMessage } from './messages.ts';

function say(message: CheckMessage): void {
  parentPort?.postMessage(message);
}

const { file, options } = workerData as { readonly file: string; readonly options: CheckOptions };
checkTarget(file, options, {
  begun: (part, what, seconds) => say({ kind: 'begun', part, what, seconds }),
  found: (finding) => say({ kind: 'found', finding }),
}).then(
  () => say({ kind: 'done' }),
  (thrown: unknown) => say({ kind: 'refused', error: encodeError(thrown), cause: sendable(thrown) }),
);

/** For --debug. Only an Error keeps its stack on the way; what else a target has thrown may not be sent at all. */
function sendable(thrown: unknown): unknown {
  try {
    return thrown instanceof Error ? structuredClone(thrown) : undefined;
  } catch {
    return undefined;
  }
}
