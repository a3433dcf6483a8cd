/** Waits for the start report of a server: the first line that it writes to its pipe. */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { UblkError } from '../../errors.ts';
import { THREADS_HINT } from '../../native/shortage.ts';
import { decodeStartReport, type StartReport } from '../../protocol/start-report.ts';
import { type Ending, quoted } from './ending.ts';
import { HUNG_MS, HungStart, LOOK_MS } from './hung-start.ts';

/** Longer than any wait inside the server, so that the server itself reports what it waited for. */
const READY_SECONDS = 150;
export async function firstLine(
  { pid = -1, stdio }: ChildProcess,
  said: () => string,
  ended: Promise<Ending>,
  signal: AbortSignal | undefined,
): Promise<StartReport | null> {
  const line = Promise.withResolvers<StartReport | null>();
  const stream = stdio[3] as Readable;
  let text = '';
  const hung = new HungStart();
  const looks = setInterval(() => {
    if (hung.look(pid) >= HUNG_MS) line.reject(hungError(pid));
  }, LOOK_MS);
  stream.on('data', (chunk: Buffer) => {
    // Its script runs, and may wait for something.
    clearInterval(looks);
    text += chunk.toString();
    const report = decodeStartReport(text);
    if (report !== null) line.resolve(report);
  });
  stream.on('end', () => line.resolve(null));
  void ended.then(() => setImmediate(() => line.resolve(null)));
  const timer = setTimeout(() => line.reject(silentError(pid, said())), READY_SECONDS * 1000);
  const abort = (): void => line.reject(signal?.reason);
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await line.promise;
  } finally {
    clearTimeout(timer);
    clearInterval(looks);
    signal?.removeEventListener('abort', abort);
  }
}

/** The log of a device that could not be added goes with it, so what it says is in the message. */
function silentError(pid: number, said: string): UblkError {
  return new UblkError(
    `the server (pid ${pid}) did not report within ${READY_SECONDS} s that it is ready, and was killed${quoted(said)}`,
    { code: 'TIMEOUT', hint: '`ublkts doctor` checks what a server needs' },
  );
}

function hungError(pid: number): UblkError {
  return new UblkError(
    `the server (pid ${pid}) has not begun to run within ${HUNG_MS / 1000} s, and was killed: Node probably waits for threads that it could not start`,
    { code: 'EAGAIN', command: 'pthread_create', hint: THREADS_HINT },
  );
}
