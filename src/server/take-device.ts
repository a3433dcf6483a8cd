/**
 * A device that this process has taken to serve it. It has the char device open, so no other process can, and the id is not given
 * out again.
 */
import { closeSync } from 'node:fs';
import { ControlChannel } from '../control/channel.ts';
import { requireRecord } from '../record/attempt.ts';
import type { DeviceRecord } from '../record/device-record.ts';
import { openCharDevice } from './char-device.ts';
import type { MappedDevice } from './mappings.ts';
import type { ServingProcess, Start } from './serving.ts';
import { TargetEnd } from './target-end.ts';

export interface TakenDevice extends MappedDevice {
  readonly record: DeviceRecord;
  readonly channel: ControlChannel;
  /** The channel is closed with the device; who needs it no longer may close it before. */
  readonly closeChannel: () => void;
  readonly targetEnd: TargetEnd;
  /** Whether the char device is still open. */
  readonly isServed: () => boolean;
}

export async function takeDevice({ id, attempt }: Start, { held, spareRing }: ServingProcess): Promise<TakenDevice> {
  // Another device that has the id by now must not be opened: that would refuse it to its own server.
  requireRecord(id, attempt);
  const channel = new ControlChannel(spareRing);
  const closeChannel = once(() => channel.close());
  held.add(closeChannel);
  const targetEnd = new TargetEnd(id);
  held.add(() => targetEnd.done());
  const charFd = await openCharDevice(id);
  let isServed = true;
  held.add(() => {
    isServed = false;
    closeSync(charFd);
  });
  // It cannot change any more.
  const record = requireRecord(id, attempt);
  const { spec, generation } = record;
  return { id, spec, generation, charFd, record, channel, closeChannel, targetEnd, isServed: () => isServed };
}

function once(call: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) call();
    isDone = true;
  };
}
