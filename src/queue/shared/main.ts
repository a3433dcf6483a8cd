/**
 * The entry point of a shared thread, which serves queues of many devices on one ring. It begins without any; the main
 * thread gives it lanes while it serves.
 */
import { setFlagsFromString } from 'node:v8';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { UblkError } from '../../errors.ts';
import { affinityText, narrowedAffinity } from '../../native/affinity-text.ts';
import { keepCompiledCode } from '../../native/compiled-code.ts';
import { gettid, setAffinity, setBatchPolicy, setThreadName } from '../../native/libc/calls.ts';
import { errnoName, errnoText } from '../../native/uapi/errno.ts';
import { encodeError } from '../../protocol/error-wire.ts';
import type { LaneConfig, SharedMessage, SharedOrder, SharedThreadConfig } from './lane-config.ts';
import { buildSharedThread } from './build.ts';

/** The first major version of V8 with the flag below. An older one would complain on stderr. */
const SAFE_INTEGER_V8 = 14;

function main(config: SharedThreadConfig): void {
  if (Number.parseInt(process.versions.v8, 10) >= SAFE_INTEGER_V8)
    setFlagsFromString('--no-additive-safe-int-feedback');
  const notes = settle(config);
  const shared = buildSharedThread(config, {
    ring: (ring) => say({ kind: 'ring', ring }),
    orders: takeOrders,
    refused: (lane, error) => say({ kind: 'refused', lane: lane.lane, error: encodeError(error) }),
    fetched: (lane, problem) => {
      if (problem === 0) say({ kind: 'fetched', lane: lane.lane });
      else say({ kind: 'refused', lane: lane.lane, error: encodeError(deliveryError(lane, problem)) });
    },
    left: ({ lane }) => say({ kind: 'left', lane }),
  });
  shared.thread.start();
  keepCompiledCode();
  say({ kind: 'ready', tid: gettid(), notes });
  // It may have been told to end while it started.
  if (!shared.thread.ended) shared.thread.run();
  shared.close();
}

/** Sets the thread's name, scheduling policy and CPUs. Returns a note for each that was refused; serving goes on. */
function settle({ index, cpus }: SharedThreadConfig): string[] {
  setThreadName(`ublk-shared${index}`);
  const policy = setBatchPolicy();
  const affinity = cpus.length === 0 ? 0 : setAffinity(cpus);
  return [
    ...(policy === 0 ? [] : [`SCHED_BATCH: ${errnoText(policy)}`]),
    ...(affinity === 0 ? [] : [`affinity of shared thread ${index}: ${affinityText(affinity)}`]),
    ...(affinity === 0 ? narrowedAffinity(cpus) : []),
  ];
}

/** The orders that have come. No event loop turns on this thread that would bring them. */
function takeOrders(): SharedOrder[] {
  const orders: SharedOrder[] = [];
  if (parentPort === null) return orders;
  for (;;) {
    const received = receiveMessageOnPort(parentPort);
    if (received === undefined) return orders;
    orders.push(received.message as SharedOrder);
  }
}

function deliveryError({ deviceId: device, queue }: LaneConfig, problem: number): UblkError {
  return new UblkError(`queue ${queue}: the driver refused to deliver: ${errnoText(-problem)}`, {
    code: errnoName(-problem),
    command: 'FETCH_REQ',
    device,
  });
}

function say(message: SharedMessage): void {
  parentPort?.postMessage(message);
}

process.on('uncaughtException', (error) => say({ kind: 'failed', error: encodeError(error) }));
main(workerData as SharedThreadConfig);
