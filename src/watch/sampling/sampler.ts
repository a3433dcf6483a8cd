/**
 * Takes samples of this machine. It reads files in /sys, /proc and /run/ublkts, and asks the driver with GET_DEV_INFO.
 * None of these waits for a server, for I/O or for a mutex of the driver (drivers/block/ublk_drv.c, Linux 7.3:
 * ublk_ctrl_get_dev_info), so one device that is stuck holds up nothing here. The servers do not notice. A device takes
 * some 0.2 ms; what seldom changes is read again only when it has changed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { ControlChannel } from '../../control/channel.ts';
import { CONTROL_DEVICE } from '../../control/command.ts';
import { getDevInfo } from '../../control/commands.ts';
import { findDevices } from '../../control/discovery.ts';
import { noDriverNotice } from '../../control/missing-driver.ts';
import { inferredState } from '../../device/report/inferred-state.ts';
import type { DeviceState } from '../../device/report/report.ts';
import { UblkError } from '../../errors.ts';
import { ublkStateName } from '../../native/uapi/ublk-device.ts';
import { filesOf, RUN_DIRECTORY } from '../../record/files.ts';
import type { DeviceRecord } from '../../record/device-record.ts';
import { goingIds, readGoingDevice } from '../../record/going-device.ts';
import { type KernelFacts, ofInstance, ownedBy } from '../../record/ownership.ts';
import { isServing, type ProcessState } from '../../record/process-state.ts';
import { serverOf, serverState } from '../../record/server-identity.ts';
import { isServerLockHeld } from '../../record/server-lock.ts';
import { readUnchanged } from '../../record/unchanged.ts';
import { dataPathNameOf, dataPathOf } from '../../spec/device-spec.ts';
import { sourcesOf } from '../../spec/sources.ts';
import { FeatureSet } from '../../spec/features.ts';
import { readBlockCounters } from '../../stats/block-layer.ts';
import { StatsReader } from '../../stats/reader.ts';
import { GoingHolders } from './going-holders.ts';
import type { DeviceSample, KernelRecord, OwnRecord, Sample, SampleSource, SampleWishes } from './sample.ts';

interface Answer {
  readonly state: DeviceState;
  readonly record: KernelRecord;
  readonly info: KernelFacts;
}

export class Sampler implements SampleSource {
  readonly #stats = new StatsReader();
  readonly #holders = new GoingHolders();
  #channel: ControlChannel | null = null;
  #notice: string | null = null;

  async take({ device, heat }: SampleWishes): Promise<Sample> {
    const wanted = (id: number) => device === undefined || id === device;
    const there = findDevices().filter(wanted);
    // A deleted device leaves sysfs at once; its files in /run/ublkts stay for as long as someone holds it.
    const kept = new Set([...recordedDevices(), ...goingIds()]);
    const going = [...kept].filter((id) => wanted(id) && !there.includes(id));
    this.#notice = null;
    const devices: DeviceSample[] = [];
    for (const id of [...there, ...going].sort((a, b) => a - b)) {
      const taken = await this.#takeDevice(id, going.includes(id), heat);
      if (taken !== null) devices.push(taken);
    }
    this.#holders.keepOnly(going);
    if (devices.length === 0) this.#open();
    return { atMs: performance.now(), wallMs: Date.now(), devices, notice: this.#notice };
  }

  close(): void {
    this.#channel?.close();
    this.#channel = null;
  }

  /** Returns null when the device is gone. */
  async #takeDevice(id: number, going: boolean, heat: boolean): Promise<DeviceSample | null> {
    const disk = `ublkb${id}`;
    const asked = await this.#ask(id);
    if (asked === 'gone' || (going && asked === null)) return null;
    const read = readUnchanged(id);
    const stored = asked === null ? ofInstance(read) : ownedBy(asked.info, read);
    const stats =
      stored === null ? null : this.#stats.read(filesOf(id).stats, { buffers: stored.buffers.length > 0, heat });
    const serverPid =
      asked === null || asked.info.ublksrv_pid <= 0 ? (stored?.server?.pid ?? -1) : asked.info.ublksrv_pid;
    const isUnknown = asked === null && stored === null;
    const server = isUnknown ? unknownServer(id) : serverState(serverOf(serverPid, stored));
    const block = readBlockCounters(disk);
    return {
      id,
      atMs: performance.now(),
      state: asked?.state ?? inferredState(stored, block !== null, isServing(server)),
      kernel: asked?.record ?? null,
      own: stored === null ? null : ownRecord(stored),
      stats,
      block,
      sizeBytes: readNumber(`/sys/block/${disk}/size`) * 512,
      diskSequence: readNumber(`/sys/block/${disk}/diskseq`),
      serverPid,
      server,
      going: going || (asked?.state === 'DEAD' && readGoingDevice(id)?.serverPid === serverPid),
      heldBy: going ? this.#holders.of(id) : null,
    };
  }

  async #ask(id: number): Promise<Answer | 'gone' | null> {
    const channel = this.#open();
    if (channel === null) return null;
    try {
      const info = getDevInfo(channel, id);
      const record = {
        queues: info.nr_hw_queues,
        depth: info.queue_depth,
        sharedMemory: FeatureSet.fromFlags(info.flags).has('SHMEM_ZC'),
      };
      return { state: ublkStateName(info.state) as DeviceState, record, info };
    } catch (error) {
      if (!(error instanceof UblkError)) throw error;
      if (error.kind === 'no-device') return 'gone';
      this.#notice = error.message;
      // A channel is of no more use after a command that did not answer.
      this.close();
      return null;
    }
  }

  /** Opens the channel once; returns null, with a notice, when there is no driver or no permission. */
  #open(): ControlChannel | null {
    if (this.#channel !== null) return this.#channel;
    try {
      this.#channel = new ControlChannel();
    } catch (error) {
      if (!(error instanceof UblkError)) throw error;
      this.#notice = noticeOf(error);
    }
    return this.#channel;
  }
}

/** Neither the driver nor a record says what serves the device. Of another program's there is no telling: most likely it runs. */
function unknownServer(id: number): ProcessState {
  const { lock } = filesOf(id);
  return !existsSync(lock) || isServerLockHeld(lock) ? 'running' : 'gone';
}

function noticeOf(error: UblkError): string {
  if (error.code === 'ENOENT' || error.code === 'ENODEV') return noDriverNotice();
  if (error.kind !== 'permission') return error.message;
  // Root reads the records also where it may not ask the driver, as in a container.
  if (process.geteuid?.() === 0) return `${error.message}, so states are guessed from sysfs (${error.hint})`;
  return `${CONTROL_DEVICE} needs root: states are guessed from sysfs, and neither the target of a device nor the counters of its server are shown`;
}

/** Ids that have a record in /run/ublkts. */
function recordedDevices(): number[] {
  let names: string[];
  try {
    names = readdirSync(RUN_DIRECTORY);
  } catch {
    return [];
  }
  return names.flatMap((name) => (/^\d+\.json$/.test(name) ? [Number.parseInt(name, 10)] : []));
}

function ownRecord({ spec, generation, buffers, ended }: DeviceRecord): OwnRecord {
  return {
    target: spec.target,
    files: spec.files,
    sources: sourcesOf({ files: spec.files, options: spec.targetOptions }),
    dataPath: dataPathNameOf(spec),
    registers: dataPathOf(spec).registers,
    queues: spec.queues,
    depth: spec.depth,
    sharedMemory: spec.sharedMemory,
    generation,
    resident: spec.server,
    buffers,
    ended,
  };
}

function readNumber(path: string): number {
  try {
    return Number(readFileSync(path, 'latin1')) || 0;
  } catch {
    return 0;
  }
}
