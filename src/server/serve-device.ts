/**
 * One device as its server has it: from a device that the kernel has added to one that is gone.
 *
 * Nothing here issues STOP_DEV or DEL_DEV: a process that is killed inside one of them on its own device cannot die.
 * These commands come from another process; the kernel then takes the server's commands back, and the threads leave.
 */
import { closeSync } from 'node:fs';
import { endUserRecovery, type ParamsInit, setParams, startDev } from '../control/commands.ts';
import { ShmemTable } from '../queue/shmem-table.ts';
import { filesOf } from '../record/files.ts';
import { writePidFile } from '../record/pid-file.ts';
import { thisProcess } from '../record/server-identity.ts';
import { takeServerLock } from '../record/server-lock.ts';
import { updateRecord } from '../record/store.ts';
import { dataPathOf } from '../spec/device-spec.ts';
import { identityOf } from '../targets/looks.ts';
import type { Opened, TargetType } from '../targets/target.ts';
import type { DeviceThreads, Fetched } from './device-threads.ts';
import type { Held } from './held.ts';
import { holdRequests } from './hold-requests.ts';
import { IdleBuffers } from './idle-buffers.ts';
import { requireServable } from './kept-limits.ts';
import { bufferNeeds, mapShared, ownBuffers, releaseMaps, type SharedMaps } from './mappings.ts';
import { checkBufferMemory, needsBuffersAtOnce, readMemory } from './memory-budget.ts';
import { noteEnd, noteUnclosed } from './noted-end.ts';
import { openTarget, type Storage } from './open-target.ts';
import { lockBuffers, populateBuffers } from './out-of-memory.ts';
import type { ServedDevice, ServingProcess, Start, StartMode } from './serving.ts';
import { resetCounters } from './shared-memory/counters.ts';
import { ShmemRegistry } from './shared-memory/registry.ts';
import { restoreBuffers } from './shared-memory/restore.ts';
import { RequestSocket } from './socket/listener.ts';
import { Requests } from './socket/requests.ts';
import { keepWritesStable } from './stable-writes.ts';
import { startThreads } from './start-threads.ts';
import { listenForSize } from './storage-socket.ts';
import { takeDevice, type TakenDevice } from './take-device.ts';

/** Resolves when the device is live. What this process then has of it is in `held`, and also when this throws. */
export async function serveDevice(start: Start, server: ServingProcess): Promise<ServedDevice> {
  const { id, mode } = start;
  const { held } = server;
  const device = await takeDevice(start, server);
  const { spec, charFd } = device;
  const storage = await openTarget(device, mode, server);
  const memory = mapMemory(device, held);
  let threads: DeviceThreads | undefined;
  const registry = makeRegistry(device, storage.type, memory.maps, () => threads?.wake());
  // Before the char device is closed, for which `del` waits: then the file system of a buffer can be unmounted.
  held.add((isIdle) => registry.close(isIdle));
  // A queue is served as soon as its tags are fetched, and what the kernel kept for the device may lie in a buffer.
  if (mode === 'recover') registry.adopt(device.record);
  // Before tags are fetched: a shared thread cannot give them back when something fails, and the device would stay with it.
  const lockNotes = await recordServer(device, storage, server);
  const queues = await startQueues(device, storage, memory, server);
  threads = queues.threads;
  const stopListening = await listenForSize(id, spec);
  if (stopListening !== null) held.add(stopListening);
  server.requireWanted();
  const liveNotes = await goLive(mode, device, registry);
  const caller = server.server === null ? 'thread' : 'pool';
  if (dataPathOf(spec).registers) await keepWritesStable(id, storage.target.files, caller);
  await listenForBuffers(device, registry, held);
  const quiesce = async () => {
    if (spec.delivery !== 'batch') return;
    await holdRequests(charFd, id, device.isServed);
    queues.threads.drain();
  };
  return {
    id,
    spec,
    notes: [...storage.notes, ...memory.notes, ...queues.notes, ...lockNotes, ...liveNotes],
    gone: untilGone(id, queues.threads, held),
    quiesce,
    look: () => queues.idle.look(),
  };
}

interface Memory {
  readonly maps: SharedMaps;
  /** Whether all I/O buffers are to have their memory before the device is live. */
  readonly atOnce: boolean;
  readonly notes: readonly string[];
}

/** Throws when the machine cannot have the memory. */
function mapMemory(device: TakenDevice, held: Held): Memory {
  const { spec } = device;
  const memory = readMemory();
  const notes = checkBufferMemory(bufferNeeds(spec), spec.mlock, memory);
  const maps = mapShared(device);
  held.addMemory((isIdle) => releaseMaps(maps, isIdle));
  return { maps, atOnce: needsBuffersAtOnce(spec.mlock, memory), notes };
}

function makeRegistry(
  { id, channel }: TakenDevice,
  { looksAtData = false }: TargetType,
  maps: SharedMaps,
  wake: () => void,
): ShmemRegistry {
  return new ShmemRegistry({
    device: id,
    channel,
    table: new ShmemTable(maps.shmemTable),
    wake,
    looksAtData,
    resetCounters: (index) => resetCounters(maps, index),
  });
}

/** Takes the lock of the device's server, and writes into the record that it is this process. Resolves to notes. */
async function recordServer(
  { id, record }: TakenDevice,
  { target, opened }: Storage,
  { held, server }: ServingProcess,
): Promise<string[]> {
  const { lock } = filesOf(id);
  const locked = await takeServerLock(lock);
  if (locked !== null) held.setLock(() => closeSync(locked));
  updateRecord(id, {
    server: thisProcess(lock, server ?? undefined),
    previous: record.server,
    descriptors: target.files,
    ...(opened.length === 0 ? {} : { identities: opened.map(({ stat }) => identityOf(stat)) }),
    ended: null,
  });
  writePidFile(id, server !== null);
  return locked === null ? [`${lock} is locked by another process`] : [];
}

interface Queues {
  readonly threads: DeviceThreads;
  readonly idle: IdleBuffers;
  readonly notes: readonly string[];
}

/** Starts the threads. Resolves when they have fetched every tag, and the driver knows what the device is. */
async function startQueues(
  device: TakenDevice,
  storage: Storage,
  { maps, atOnce }: Memory,
  { setup, held, shared }: ServingProcess,
): Promise<Queues> {
  const { channel, id } = device;
  const { target, opened, made } = storage;
  // Shared threads run already, and a failure after they have fetched tags would leave the device with them.
  const heldEarly = shared === null ? [] : holdBuffers(maps, atOnce);
  const threads = startThreads({ device, channel, target, opened, maps, held, shared });
  const idle = new IdleBuffers(maps, threads);
  held.addMemory(() => idle.stop());
  if (made === null && target.params !== null) await setParams(channel, id, target.params);
  const fetched = await untilFetched(threads, target);
  const setupNotes = setup.run();
  if (fetched.params !== undefined) await setLateParams(device, storage, fetched.params);
  // Threads that serve only this device allocate their memory before its buffers do.
  const heldNotes = shared === null ? holdBuffers(maps, atOnce) : heldEarly;
  if (atOnce) idle.stop();
  return { threads, idle, notes: [...setupNotes, ...fetched.notes, ...heldNotes] };
}

/** What only the threads of the target know of a new device. A device that is recovered has its parameters. */
async function setLateParams({ channel, id }: TakenDevice, { type, made }: Storage, params: ParamsInit): Promise<void> {
  if (made === null) await setParams(channel, id, params);
  else requireServable(id, made, params, type.keepsFeatures);
}

/** Keeps the I/O buffers in memory once they are there, and has all of them there now if `atOnce`. Returns notes. */
function holdBuffers(maps: SharedMaps, atOnce: boolean): string[] {
  const refused = lockBuffers(ownBuffers(maps));
  if (atOnce) populateBuffers(ownBuffers(maps));
  return refused;
}

async function untilFetched(threads: DeviceThreads, target: Opened): Promise<Fetched> {
  try {
    return await threads.fetched();
  } catch (error) {
    throw (await target.explain?.(error)) ?? error;
  }
}

/** The kernel sends requests from here on. A recovered device is live also without a buffer that cannot be restored. Resolves to notes. */
async function goLive(mode: StartMode, { channel, id, spec }: TakenDevice, registry: ShmemRegistry): Promise<string[]> {
  if (mode === 'recover') {
    await endUserRecovery(channel, id, process.pid);
    return restoreBuffers(registry, spec.buffers);
  }
  for (const buffer of spec.buffers) await registry.registerPath(buffer.path, buffer.readOnly);
  await startDev(channel, id, process.pid);
  return [];
}

/** Only registering memory issues commands for a device that is live. */
async function listenForBuffers(
  { id, spec, closeChannel }: TakenDevice,
  registry: ShmemRegistry,
  held: Held,
): Promise<void> {
  if (!spec.sharedMemory) return closeChannel();
  const socket = await RequestSocket.listen(filesOf(id).socket, new Requests(id, registry));
  held.add(() => {
    registry.end();
    return socket.close();
  });
}

async function untilGone(id: number, threads: DeviceThreads, held: Held): Promise<void> {
  const problem = await threads.left();
  // `del` removes the device's files once the char device is closed: a record that is written later would stay.
  noteEnd(id, 'stopped', null);
  if (problem !== null) noteUnclosed(id, problem);
  await held.leave();
}
