/** Makes a target's half of one lane. It answers from its own operations, and has no ring and no event loop of its own. */
import { diskSize } from '../../control/sysfs.ts';
import { ConnectionWriter } from '../../stats/connection-writer.ts';
import type { StatsWriter } from '../../stats/writer.ts';
import { builtInTarget } from '../../targets/registry.ts';
import type { TargetQueue, TargetRing, ThreadEvents } from '../../targets/target.ts';
import type { LaneConfig } from './lane-config.ts';

export function laneTarget(
  { spec, targetState: state, queue, deviceId }: LaneConfig,
  { counters }: StatsWriter,
): TargetQueue {
  const { target, depth, maxIoBufBytes, threads } = spec;
  const type = builtInTarget(target);
  if (type === undefined) throw new RangeError(`a shared thread has no target ${target}`);
  const made = type.queue({
    state,
    integrity: null,
    slots: depth,
    maxIoBufBytes,
    thread: queue,
    threads,
    deviceBytes: () => diskSize(deviceId)?.bytes ?? null,
    events: NO_EVENTS,
    ring: NO_RING,
    connection: new ConnectionWriter(counters),
  });
  if (made instanceof Promise) throw new TypeError(`the target ${target} is not there at once`);
  return made;
}

const NO_EVENTS: ThreadEvents = {
  sleepInLoop: notHere,
  sleepInRing: notHere,
  request: notHere,
  submit: notHere,
  reportStuck: notHere,
};

const NO_RING: TargetRing = {
  receive: notHere,
  receiveData: notHere,
  sendMessage: notHere,
  sendData: notHere,
  reserve: notHere,
  timeout: notHere,
  request: notHere,
};

function notHere(): never {
  throw new TypeError('a shared thread has no event loop, and its ring is for requests');
}
