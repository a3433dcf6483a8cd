/**
 * The entry point of a queue thread. It makes the thread's parts from what the main thread says, reports that every tag
 * has been fetched, and serves until the device has left this server.
 */
import { isAbsolute } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { UblkError } from '../errors.ts';
import { affinityText, narrowedAffinity } from '../native/affinity-text.ts';
import { keepCompiledCode } from '../native/compiled-code.ts';
import { gettid, setAffinity, setBatchPolicy, setThreadName } from '../native/libc/calls.ts';
import { errnoName, errnoText } from '../native/uapi/errno.ts';
import { encodeError } from '../protocol/error-wire.ts';
import { DEBUG_THREAD, debugLog } from './debug-log.ts';
import { describeThrown, readable } from '../targets/load/thrown.ts';
import { logFor, serverLog } from '../targets/log.ts';
import type { TargetQueue } from '../targets/target.ts';
import { buildQueueThread } from './build-thread.ts';
import { CLOSE_SECONDS } from '../targets/close-limit.ts';
import type { ThreadConfig, ThreadMessage } from './thread-config.ts';

/** The first major version of V8 with the flag below. An older one would complain on stderr. */
const SAFE_INTEGER_V8 = 14;

async function main(config: ThreadConfig): Promise<void> {
  // Counters are floats (docs/decisions/0004): without the flag, V8 adds to them as integers, with checks (0005).
  if (Number.parseInt(process.versions.v8, 10) >= SAFE_INTEGER_V8)
    setFlagsFromString('--no-additive-safe-int-feedback');
  logFor(config.deviceId);
  const notes = settle(config);
  const { thread, target, sleep, views, close } = await buildQueueThread(config, {
    ring: (ring) => say({ kind: 'ring', ring }),
    opening: (isOpening) => say({ kind: 'opening', isOpening }),
  });
  const problem = thread.start();
  if (problem !== 0) {
    await closeTarget(target, views.mapped, config);
    close();
    throw new UblkError(`queue thread ${config.index}: the driver refused to deliver: ${errnoText(-problem)}`, {
      code: errnoName(-problem),
      command: 'FETCH_REQ',
      device: config.deviceId,
    });
  }
  // The main thread sets the flags of the JIT when all threads have fetched.
  keepCompiledCode();
  const { params, notes: more = [] } = target;
  say({
    kind: 'fetched',
    tid: gettid(),
    notes: [...notes, ...more],
    ...(params === undefined ? {} : { params }),
  });
  const { index } = config;
  const { debugMask } = config.spec;
  debugLog(debugMask, DEBUG_THREAD, `thread ${index} (tid ${gettid()}) serves`);
  while (!thread.ended) {
    if (sleep.isWanted) await sleep.serve(thread);
    else thread.run();
  }
  sleep.close();
  const unclosed = await closeTarget(target, views.mapped, config);
  close();
  debugLog(debugMask, DEBUG_THREAD, `thread ${index} leaves`);
  say({ kind: 'left', problem: unclosed, mapped: views.mapped });
}

/** Sets the thread's name, scheduling policy and CPUs. Returns a note for each that was refused; serving goes on. */
function settle(config: ThreadConfig): string[] {
  const notes: string[] = [];
  setThreadName(`ublk${config.deviceId}-t${config.index}`);
  // A client that wakes the thread keeps the CPU and submits more, so that batches are fuller (docs/decisions/0013).
  const policy = setBatchPolicy();
  if (policy !== 0) notes.push(`SCHED_BATCH: ${errnoText(policy)}`);
  if (config.cpus.length > 0) {
    const affinity = setAffinity(config.cpus);
    if (affinity !== 0) notes.push(`affinity of thread ${config.index}: ${affinityText(affinity)}`);
    // Without a list of the user's, the CPUs are those of the queue, and some of these may be offline.
    else if (config.spec.cpus.length > 0) notes.push(...narrowedAffinity(config.cpus));
  }
  return notes;
}

/**
 * Gives the target its time to store what it holds. Data that it has not stored by then is lost, and the log says so.
 * Returns why it could not be closed; null: it is closed.
 */
async function closeTarget(
  target: TargetQueue,
  mapped: readonly bigint[],
  { index, spec }: ThreadConfig,
): Promise<string | null> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`it did not end within ${CLOSE_SECONDS} s`)),
    CLOSE_SECONDS * 1000,
  );
  const cutShort = (): void => {
    const problem = 'it called process.exit before it was done';
    serverLog(`the target could not be closed on thread ${index}: ${problem}`);
    say({ kind: 'left', problem, mapped });
  };
  process.once('exit', cutShort);
  try {
    await Promise.race([target.close?.(), late.promise]);
    return null;
  } catch (thrown) {
    const error = readable(thrown);
    const problem = describeThrown(error, spec.target);
    const text = error instanceof Error ? (error.stack ?? problem) : problem;
    serverLog(`the target could not be closed on thread ${index}: ${text}`);
    return problem;
  } finally {
    clearTimeout(timer);
    process.off('exit', cutShort);
  }
}

function say(message: ThreadMessage): void {
  parentPort?.postMessage(message);
}

/**
 * An error that no request is to blame for. Only a target of somebody's own has code that can cause it. The thread stays
 * until the main thread has written the reason down and ends the process.
 */
function uncaught(thrown: unknown, { index, spec: { target } }: ThreadConfig): unknown {
  if (!isAbsolute(target) || thrown instanceof UblkError) return thrown;
  if (thrown instanceof Error) serverLog(thrown.stack ?? thrown.message);
  const message = `target ${target} failed outside of every request, on thread ${index}: ${describeThrown(thrown, target)}`;
  return new UblkError(message, { code: 'BAD_TARGET', kind: 'failed', cause: thrown });
}

const config = workerData as ThreadConfig;
process.on('uncaughtException', (error) =>
  say({ kind: 'failed', error: encodeError(uncaught(readable(error), config)) }),
);
main(config).catch((error: unknown) => say({ kind: 'failed', error: encodeError(error) }));
