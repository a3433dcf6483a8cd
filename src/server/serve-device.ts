/**
 * One device as its server has it: from a device that the kernel has added to one that is gone.
 *
 * Nothing here issues STOP_DEV or DEL_DEV: a process that is killed inside one of them on its own device cannot die.
 * These commands come from another process; the kernel then takes the server's commands back, and the threads leave.
 */
import { closeSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { ControlChannel } from '../control/channel.ts';
import { endUserRecovery, getParams, setParams, startDev } from '../control/commands.ts';
import { ShmemTable } from '../queue/shmem-table.ts';
import { filesOf } from '../record/files.ts';
import { requireRecord } from '../record/attempt.ts';
import { writePidFile } from '../record/pid-file.ts';
import { type ServerIdentity, thisProcess } from '../record/server-identity.ts';
import { takeServerLock } from '../record/server-lock.ts';
import { withFilesAlone } from '../record/files-alone.ts';
import { updateRecord } from '../record/store.ts';
import type { DeviceSpec } from '../spec/device-spec.ts';
import { openRequest } from '../spec/target-traits.ts';
import { BackingCalls } from '../targets/backing-calls.ts';
import { findTarget } from '../targets/find.ts';
import { type FoundFile, identityOf } from '../targets/looks.ts';
import type { Opened } from '../targets/target.ts';
import { openCharDevice } from './char-device.ts';
import { holdRequests } from './hold-requests.ts';
import { IdleBuffers } from './idle-buffers.ts';
import { requireServable } from './kept-limits.ts';
import { bufferNeeds, mapShared, ownBuffers, releaseMaps, type SharedMaps } from './mappings.ts';
import { checkBufferMemory, needsBuffersAtOnce, readMemory } from './memory-budget.ts';
import type { DeviceThreads, Fetched } from './device-threads.ts';
import { noteEnd, noteUnclosed } from './noted-end.ts';
import type { Held } from './held.ts';
import { describeFailure } from '../errors.ts';
import { log } from './log.ts';
import { lockBuffers, populateBuffers } from './out-of-memory.ts';
import type { ProcessSetup } from './process-setup.ts';
import { resetCounters } from './shared-memory/counters.ts';
import { ShmemRegistry } from './shared-memory/registry.ts';
import { restoreBuffers } from './shared-memory/restore.ts';
import { RequestSocket } from './socket/listener.ts';
import { Requests } from './socket/requests.ts';
import { swapNotes } from './swap-area.ts';
import type { SharedThreads } from './shared/shared-threads.ts';
import { startThreads } from './start-threads.ts';
import { listenForSize } from './storage-socket.ts';

export type StartMode = 'add' | 'recover';

export interface Start {
  readonly id: number;
  readonly mode: StartMode;
  /** The call that asks for it, as in the device's record; undefined for one of an older version. */
  readonly attempt: string | undefined;
}

export interface ServedDevice {
  readonly id: number;
  readonly spec: DeviceSpec;
  /** Sentences about what the threads have to do without, and those of the target. */
  readonly notes: readonly string[];
  /** Resolves when the device has left this server, and rejects when a queue thread failed. */
  readonly gone: Promise<void>;
  /**
   * Finishes what is in hand and leaves, without an error for any client: requests that come from now on wait for the
   * next server. Only for a `-b` device: any other is quiesced by QUIESCE_DEV.
   */
  readonly quiesce: () => Promise<void>;
  /** Is to be called every few seconds, so that a device that is idle gives memory back. */
  readonly look: () => void;
}

/** What a device is served with. */
export interface ServingProcess {
  readonly setup: ProcessSetup;
  readonly held: Held;
  /** The name of the resident server that this process is; null for a server of one device. */
  readonly server: string | null;
  /** The threads that serve several devices; null in a server of one device. */
  readonly shared: SharedThreads | null;
  /** Throws when the server has been asked to end since the start began. */
  readonly requireWanted: () => void;
}

/** Resolves when the device is live. What this process then has of it is in `held`, and also when this throws. */
export async function serveDevice(
  { id, mode, attempt }: Start,
  { setup, held, server, shared, requireWanted }: ServingProcess,
): Promise<ServedDevice> {
  // Another device that has the id by now must not be opened: that would refuse it to its own server.
  requireRecord(id, attempt);
  const channel = new ControlChannel();
  const closeChannel = once(() => channel.close());
  held.add(closeChannel);
  let closed: Promise<void> | undefined;
  held.add(() =>
    closed?.catch(async (error: unknown) => {
      await tellUnclosed(id, error);
      throw error;
    }),
  );
  const charFd = await openCharDevice(id);
  let isServed = true;
  held.add(() => {
    isServed = false;
    closeSync(charFd);
  });
  // An id is not given out again while its char device is open.
  const record = requireRecord(id, attempt);
  const { spec } = record;
  const recovering = mode === 'recover';
  const made = recovering ? await getParams(channel, id) : null;
  const type = await findTarget(spec.target);
  const target = await type.open(openRequest(spec, recovering, id, made));
  held.add(() => {
    closed = (async () => target.close())();
    // It is awaited when the char device is closed.
    closed.catch(() => {});
  });
  const opened = isAbsolute(spec.target) ? [] : await openedFiles(spec.files, target.files, server !== null);
  const swap = await swapNotes(spec, target.files, server !== null);
  const device = { id, spec, generation: record.generation, charFd };
  const memory = readMemory();
  const memoryNotes = checkBufferMemory(bufferNeeds(spec), spec.mlock, memory);
  const maps = mapShared(device);
  held.addMemory((isIdle) => releaseMaps(maps, isIdle));
  let threads: DeviceThreads | undefined;
  const registry = new ShmemRegistry({
    device: id,
    channel,
    table: new ShmemTable(maps.shmemTable),
    wake: () => threads?.wake(),
    looksAtData: type.looksAtData ?? false,
    resetCounters: (index) => resetCounters(maps, index),
  });
  // Before the char device is closed, for which `del` waits: then the file system of a buffer can be unmounted.
  held.add((isIdle) => registry.close(isIdle));
  // A queue is served as soon as its tags are fetched, and what the kernel kept for the device may lie in a buffer.
  if (recovering) registry.adopt(record);
  // Before tags are fetched: a shared thread cannot give them back when something fails, and the device would stay with it.
  const lockNotes = await recordServer({
    id,
    server,
    held,
    previous: record.server,
    descriptors: target.files,
    opened,
  });
  const atOnce = needsBuffersAtOnce(spec.mlock, memory);
  // Shared threads run already, and a failure after they have fetched tags would leave the device with them.
  const heldEarly = shared === null ? [] : holdBuffers(maps, atOnce);
  const running = startThreads({ device, channel, target, opened, maps, held, shared });
  threads = running;
  const idle = new IdleBuffers(maps, running);
  held.addMemory(() => idle.stop());
  if (mode === 'add' && target.params !== null) await setParams(channel, id, target.params);
  const fetched = await untilFetched(running, target);
  const notes = [...setup.run(), ...fetched.notes, ...lockNotes];
  if (fetched.params !== undefined) {
    if (made === null) await setParams(channel, id, fetched.params);
    else requireServable(id, made, fetched.params, type.keepsFeatures);
  }
  // Threads that serve only this device allocate their memory before its buffers do.
  notes.push(...(shared === null ? holdBuffers(maps, atOnce) : heldEarly));
  if (atOnce) idle.stop();
  const stopListening = await listenForSize(id, spec);
  if (stopListening !== null) held.add(stopListening);
  requireWanted();
  notes.push(...(await goLive(mode, { channel, id, spec, registry })));
  if (spec.sharedMemory) {
    const socket = await listen(id, registry);
    held.add(() => {
      registry.end();
      return socket.close();
    });
  } else {
    // Only registering memory issues commands for a device that is live.
    closeChannel();
  }
  const quiesce = async () => {
    if (spec.delivery !== 'batch') return;
    await holdRequests(charFd, id, () => isServed);
    running.drain();
  };
  const gone = untilGone(id, running, held);
  return {
    id,
    spec,
    notes: [...(target.notes ?? []), ...swap, ...memoryNotes, ...notes],
    gone,
    quiesce,
    look: () => idle.look(),
  };
}

function once(call: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) call();
    isDone = true;
  };
}

/** Says in the record, or else in the log, why the target could not be closed. */
async function tellUnclosed(id: number, error: unknown): Promise<void> {
  const problem = error instanceof Error ? error.message : String(error);
  await withFilesAlone(() => noteUnclosed(id, problem)).catch((unwritten: unknown) => log(describeFailure(unwritten)));
}

interface Taken {
  readonly id: number;
  readonly held: Held;
  readonly server: string | null;
  /** The server that the device had before. */
  readonly previous: ServerIdentity | null;
  readonly descriptors: readonly number[];
  readonly opened: readonly FoundFile[];
}

/** Takes the lock of the device's server, and writes into the record that it is this process. Resolves to notes. */
async function recordServer({ id, held, server, previous, descriptors, opened }: Taken): Promise<string[]> {
  const { lock } = filesOf(id);
  const locked = await takeServerLock(lock);
  if (locked !== null) held.setLock(() => closeSync(locked));
  updateRecord(id, {
    server: thisProcess(lock, server ?? undefined),
    previous,
    descriptors,
    ...(opened.length === 0 ? {} : { identities: opened.map(({ stat }) => identityOf(stat)) }),
    ended: null,
  });
  writePidFile(id, server !== null);
  return locked === null ? [`${lock} is locked by another process`] : [];
}

/** Keeps the I/O buffers in memory once they are there, and has all of them there now if `atOnce`. Returns notes. */
function holdBuffers(maps: SharedMaps, atOnce: boolean): string[] {
  const refused = lockBuffers(ownBuffers(maps));
  if (atOnce) populateBuffers(ownBuffers(maps));
  return refused;
}

interface Ready {
  readonly channel: ControlChannel;
  readonly id: number;
  readonly spec: DeviceSpec;
  readonly registry: ShmemRegistry;
}

/** The kernel sends requests from here on. A recovered device is live also without a buffer that cannot be restored. Resolves to notes. */
async function goLive(mode: StartMode, { channel, id, spec, registry }: Ready): Promise<string[]> {
  if (mode === 'recover') {
    await endUserRecovery(channel, id, process.pid);
    return restoreBuffers(registry, spec.buffers);
  }
  for (const buffer of spec.buffers) await registry.registerPath(buffer.path, buffer.readOnly);
  await startDev(channel, id, process.pid);
  return [];
}

/** The files of the spec, as a built-in target has opened them; none for one that opens others, or opens them on its threads. */
async function openedFiles(paths: readonly string[], fds: readonly number[], inPool: boolean): Promise<FoundFile[]> {
  if (paths.length !== fds.length) return [];
  return Promise.all(
    paths.map(async (path, index) => ({
      path,
      stat: await new BackingCalls(path, { caller: inPool ? 'pool' : 'thread' }).fstat(fds[index]!),
    })),
  );
}

async function untilFetched(threads: DeviceThreads, target: Opened): Promise<Fetched> {
  try {
    return await threads.fetched();
  } catch (error) {
    throw (await target.explain?.(error)) ?? error;
  }
}

async function untilGone(id: number, threads: DeviceThreads, held: Held): Promise<void> {
  const problem = await threads.left();
  // `del` removes the device's files once the char device is closed: a record that is written later would stay.
  noteEnd(id, 'stopped', null);
  if (problem !== null) noteUnclosed(id, problem);
  await held.leave();
}

function listen(id: number, registry: ShmemRegistry): Promise<RequestSocket> {
  return RequestSocket.listen(filesOf(id).socket, new Requests(id, registry));
}
