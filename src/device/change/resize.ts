/** `update_size`: a new size for a live device (UBLK_F_UPDATE_SIZE), once its target has room for it. */
import { findClaims } from '../../block/claims.ts';
import { describeClaim } from '../../block/holder.ts';
import { blockDeviceNumber, type DeviceNumber } from '../../block/number.ts';
import { type Partition, partitionsOf } from '../../block/topology.ts';
import { withControl } from '../../control/channel.ts';
import { getDevInfo, updateSize as update } from '../../control/commands.ts';
import { diskSize } from '../../control/sysfs.ts';
import { requireDeviceId } from '../../control/device-id.ts';
import { requireWaiting, type WaitOptions } from '../../control/waiting.ts';
import { UblkError, usageError } from '../../errors.ts';
import { COUNT, optional, requireKind, SWITCH } from '../../kinds.ts';
import { UBLK_S_DEV_DEAD } from '../../native/uapi/ublk-device.ts';
import type { DeviceRecord } from '../../record/device-record.ts';
import { ownedBy } from '../../record/ownership.ts';
import { isElsewhere, isServerAlive, type ServerIdentity, serverOf } from '../../record/server-identity.ts';
import { readRecord } from '../../record/store.ts';
import { option } from '../../spec/option-names.ts';
import { findTarget } from '../../targets/find.ts';
import { builtInTarget } from '../../targets/registry.ts';
import { UblkStack } from '../../targets/stack.ts';
import { patiently } from '../patiently.ts';
import { requireRoom } from './storage-room.ts';

export interface ResizeOptions extends WaitOptions {
  /** Backing files that are too small are made larger. */
  readonly grow?: boolean | undefined;
  /** Whether to cut off even what a mounted file system, swap, a device on top or a partition uses. */
  readonly force?: boolean | undefined;
}

/**
 * Resolves when the block device has `bytes` bytes, which has been read back; a whole number of its logical blocks, more
 * than 0. Throws a UblkError of kind `usage` for another size, of kind `no-device` for a device that is stopped.
 */
export async function updateSize(id: number, bytes: number, options: ResizeOptions = {}): Promise<void> {
  requireDeviceId(id);
  requireWaiting(options, { grow: optional(SWITCH), force: optional(SWITCH) });
  requireKind('bytes', bytes, COUNT);
  const { grow = false, force = false } = options;
  const info = await withControl((channel) => {
    const found = getDevInfo(channel, id);
    if (found.state === UBLK_S_DEV_DEAD) throw stopped(id);
    requireWholeBlocks(id, bytes);
    if (bytes < (diskSize(id)?.bytes ?? 0) && !force) requireUnused(id, bytes, new UblkStack(channel));
    return found;
  });
  const record = ownedBy(info, readRecord(id));
  if (record !== null) await askTarget(record, serverOf(info.ublksrv_pid, record), { ...options, bytes, grow });
  const stuck = { command: 'UPDATE_SIZE', device: id, serverPid: info.ublksrv_pid, after: 'the size changes then' };
  await patiently(stuck, options, (apart) => update(id, bytes / 512, apart));
  const size = diskSize(id);
  if (size?.bytes !== bytes) throw unchanged(id, size?.bytes ?? 0, bytes);
}

function requireWholeBlocks(id: number, bytes: number): void {
  const block = diskSize(id)?.logicalBlockBytes ?? 512;
  if (bytes <= 0) throw usageError(`a device cannot have ${bytes} bytes`, `give a multiple of ${block}`);
  if (bytes % block !== 0) {
    throw usageError(`${bytes} bytes are not a whole number of device ${id}'s blocks`, `give a multiple of ${block}`);
  }
}

/** The kernel would say that there is no such device. No server can be given to it any more. */
function stopped(device: number): UblkError {
  return new UblkError(`device ${device} is stopped, and has no size to change`, {
    code: 'ENODEV',
    kind: 'no-device',
    device,
    command: 'UPDATE_SIZE',
    hint: `\`ublkts del -n ${device}\` deletes it: add it again then`,
  });
}

function unchanged(device: number, is: number, wanted: number): UblkError {
  return new UblkError(`device ${device} has ${is} bytes after UPDATE_SIZE, not ${wanted}`, {
    code: 'EBUSY',
    kind: 'busy',
    device,
    command: 'UPDATE_SIZE',
    hint: 'another process may have changed it too: try again',
  });
}

interface Wanted extends WaitOptions {
  readonly bytes: number;
  readonly grow: boolean;
}

async function askTarget(
  record: DeviceRecord,
  server: ServerIdentity,
  { bytes, grow, ...waiting }: Wanted,
): Promise<void> {
  const { id: device, spec, descriptors } = record;
  const storage = builtInTarget(spec.target)?.storage;
  if (storage !== undefined) return requireRoom(record, server, storage, bytes, waiting);
  const { files: names, targetOptions: options, integrity } = spec;
  const served = !isElsewhere(server) && isServerAlive(server) && descriptors?.length === names.length;
  // These are the files that the server has open, whatever has become of their names.
  const files = served ? descriptors.map((fd) => `/proc/${server.pid}/fd/${fd}`) : names;
  const target = await findTarget(spec.target);
  const { signal } = waiting;
  // Where the size cannot be read, nothing is taken for new.
  const from = diskSize(device)?.bytes ?? bytes;
  await target.resize?.({ device, files, names, options, integrity, from, bytes, grow, signal });
}

/** A file system, swap space or device on top counts on the whole of what it lies on, and a partition on its end. */
function requireUnused(id: number, bytes: number, stack: UblkStack): void {
  const number = blockDeviceNumber(`ublkb${id}`);
  if (number === null) return;
  const partitions = partitionsOf(number);
  const cut = partitions.filter(({ startSector, sectors }) => (startSector + sectors) * 512 > bytes);
  const [claim] = findClaims([number, ...numbersOf(cut)]);
  if (claim !== undefined) throw inUse(id, bytes, describeClaim(claim));
  const above = stack
    .on(id)
    .find((upper) => stack.isOn(upper, numbersOf(cut)) || !stack.isOn(upper, numbersOf(partitions)));
  if (above !== undefined) throw inUse(id, bytes, `ublkb${id} is used by ublkb${above}`);
  if (cut[0] !== undefined) throw inUse(id, bytes, `partition ${cut[0].name} ends behind that`);
}

function numbersOf(partitions: readonly Partition[]): DeviceNumber[] {
  return partitions.map(({ number }) => number);
}

function inUse(id: number, bytes: number, why: string): UblkError {
  return new UblkError(`device ${id} cannot be cut to ${bytes} bytes: ${why}`, {
    code: 'EBUSY',
    device: id,
    command: 'UPDATE_SIZE',
    hint: [
      'make what uses it smaller or end that use first; ',
      option('force'),
      ' cuts it all the same, and what lies behind is lost',
    ],
  });
}
