/**
 * Reads samples: files in /sys and /run/ublkts, and GET_DEV_INFO, which waits for nobody. The servers do not notice.
 * Everything is synchronous and short (some 0.2 ms a device); what seldom changes is read again only when it has.
 */
import { readFileSync, statSync } from 'node:fs';
import { CONTROL_DEVICE, ControlChannel } from '../../control/channel.ts';
import { getDevInfo } from '../../control/commands.ts';
import { findDevices } from '../../control/discovery.ts';
import { bitsOf } from '../../device/features.ts';
import { isRunning } from '../../device/list.ts';
import type { DeviceState } from '../../device/report.ts';
import { UblkError } from '../../errors.ts';
import { ublkStateName } from '../../native/uapi/ublk-device.ts';
import { filesOf } from '../../record/files.ts';
import { readStoredDevice, type StoredDevice } from '../../record/stored-device.ts';
import { readBlockCounters } from '../../stats/block-layer.ts';
import { StatsReader } from '../../stats/reader.ts';
import type { DeviceSample, KernelRecord, OwnRecord, Sample, SampleSource, SampleWishes } from './sample.ts';

interface Stored {
  readonly modifiedMs: number;
  readonly device: StoredDevice | null;
}

export class Sampler implements SampleSource {
  readonly #stats = new StatsReader();
  readonly #stored = new Map<number, Stored>();
  #channel: ControlChannel | null = null;
  #notice: string | null = null;

  take({ device, heat }: SampleWishes): Sample {
    const ids = findDevices().filter((id) => device === undefined || id === device);
    this.#notice = null;
    const devices = ids.map((id) => this.#takeDevice(id, heat)).filter((taken) => taken !== null);
    for (const id of this.#stored.keys()) if (!ids.includes(id)) this.#stored.delete(id);
    if (ids.length === 0) this.#open();
    return { atMs: performance.now(), wallMs: Date.now(), devices, notice: this.#notice };
  }

  close(): void {
    this.#channel?.close();
    this.#channel = null;
  }

  /** null: it went while it was looked at. */
  #takeDevice(id: number, heat: boolean): DeviceSample | null {
    const disk = `ublkb${id}`;
    const asked = this.#ask(id);
    if (asked === 'gone') return null;
    const stored = ours(this.#readStored(id), asked?.serverPid);
    const stats =
      stored === null ? null : this.#stats.read(filesOf(id).stats, { buffers: stored.buffers.length > 0, heat });
    const serverPid = asked === null || asked.serverPid <= 0 ? (stored?.serverPid ?? -1) : asked.serverPid;
    return {
      id,
      atMs: performance.now(),
      kernel: asked?.record ?? null,
      own: stored === null ? null : ownRecord(stored),
      stats,
      block: readBlockCounters(disk),
      sizeBytes: readNumber(`/sys/block/${disk}/size`) * 512,
      diskSequence: readNumber(`/sys/block/${disk}/diskseq`),
      serverPid,
      serverRuns: isRunning(serverPid),
    };
  }

  #ask(id: number): { record: KernelRecord; serverPid: number } | 'gone' | null {
    const channel = this.#open();
    if (channel === null) return null;
    try {
      const info = getDevInfo(channel, id);
      const record = {
        state: ublkStateName(info.state) as DeviceState,
        queues: info.nr_hw_queues,
        depth: info.queue_depth,
        features: bitsOf(info.flags).map(({ bit, name }) => name?.replace(/^UBLK_F_/, '') ?? `bit ${bit}`),
      };
      return { record, serverPid: info.ublksrv_pid };
    } catch (error) {
      if (!(error instanceof UblkError)) throw error;
      if (error.kind === 'no-device') return 'gone';
      this.#notice = error.message;
      // After a command that did not answer, a channel is good for nothing.
      this.close();
      return null;
    }
  }

  /** Kept open; null with a notice when there is no driver, or it is not for us. */
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

  #readStored(id: number): StoredDevice | null {
    const modifiedMs = modificationTime(filesOf(id).spec);
    const known = this.#stored.get(id);
    if (known !== undefined && known.modifiedMs === modifiedMs) return known.device;
    const device = Number.isNaN(modifiedMs) ? null : readStoredDevice(id);
    this.#stored.set(id, { modifiedMs, device });
    return device;
  }
}

function noticeOf(error: UblkError): string {
  if (error.code === 'ENOENT') return 'this kernel has no ublk driver loaded: modprobe ublk_drv';
  if (error.kind === 'permission') return `${CONTROL_DEVICE} is for root: what other programs serve stays unknown`;
  return error.message;
}

/** The stored record, unless the id has gone to another program's device since. */
function ours(stored: StoredDevice | null, serverPid: number | undefined): StoredDevice | null {
  if (stored === null || serverPid === undefined || serverPid <= 0) return stored;
  return [stored.serverPid, stored.previousPid].includes(serverPid) ? stored : null;
}

function ownRecord({ options, dataPath, generation, buffers, ended }: StoredDevice): OwnRecord {
  return {
    target: options.target,
    files: options.files,
    dataPath,
    queues: options.queues,
    depth: options.depth,
    features: options.features,
    generation,
    buffers,
    ended: ended?.reason ?? null,
  };
}

function modificationTime(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN;
}

function readNumber(path: string): number {
  try {
    return Number(readFileSync(path, 'latin1')) || 0;
  } catch {
    return 0;
  }
}
