/** The state of a device in one word, what it means for whoever uses the device, and how bad that is. */
import { describePause, describeThaw, isPaused } from '../../record/paused.ts';
import { isServing } from '../../record/process-state.ts';
import { describeLost } from '../../stats/connections.ts';
import type { DeviceSample } from '../sampling/sample.ts';

export type Severity = 'good' | 'warning' | 'bad' | 'neutral';

export interface ShownState {
  /**
   * The kernel's word, or one of ours. NO SERVER: the kernel still says LIVE, but the server is gone. PAUSED: the server
   * is stopped by a signal or a debugger, or frozen with its control group. STUCK: no request has completed for a while.
   * DELETING: deleted, but still held.
   */
  readonly word: 'LIVE' | 'QUIESCED' | 'FAIL_IO' | 'DEAD' | 'NO SERVER' | 'PAUSED' | 'STUCK' | 'DELETING';
  readonly severity: Severity;
  /** Says what is wrong and what can be done, in one sentence without its full stop; null when nothing is wrong. */
  readonly trouble: string | null;
}

/** A device with requests in hand that completes none for this long is shown as stuck. */
const STUCK_AFTER_MS = 10_000;

/**
 * `stalledMs`: for how long requests have been in hand without one of them being completed. `wallMs`: when the sample was
 * taken, in milliseconds since 1970.
 */
export function stateOf(device: DeviceSample, stalledMs = 0, wallMs = Date.now()): ShownState {
  if (device.going) return { word: 'DELETING', severity: 'warning', trouble: whyGoing(device) };
  const serving = isServing(device.server);
  const { state } = device;
  if (state === 'LIVE') return serving ? liveState(device, stalledMs, wallMs) : noServer(device);
  const why = whyGone(device);
  if (state === 'QUIESCED') {
    return { word: state, severity: 'warning', trouble: `${why}; I/O waits until the device is recovered` };
  }
  if (state === 'FAIL_IO') {
    return { word: state, severity: 'bad', trouble: `${why}; I/O fails until the device is recovered` };
  }
  return { word: 'DEAD', severity: 'bad', trouble: `${why}; there is no /dev/ublkb${device.id}` };
}

/** Whether the kernel kept the device for a new server. */
export function canBeRecovered({ word }: ShownState): boolean {
  return word === 'QUIESCED' || word === 'FAIL_IO';
}

/** Why the device has no server, in words. */
function whyGone({ own, serverPid, server, state }: DeviceSample): string {
  // The server ends in the same way for `quiesce` and for `stop`; only the kernel's state tells which it was.
  if (own?.ended?.reason === 'stopped') return state === 'DEAD' ? 'the device was stopped' : 'the device was quiesced';
  if (own?.ended?.message) return own.ended.message;
  if (serverPid <= 0) return 'it has no server';
  if (server === 'zombie') return `its server (pid ${serverPid}) has ended but is still a zombie`;
  if (isServing(server)) return `its server (pid ${serverPid}) is not serving it`;
  return `its server (pid ${serverPid}) ended without a message: it was killed, or memory ran out (see dmesg)`;
}

function liveState(device: DeviceSample, stalledMs: number, wallMs: number): ShownState {
  const { serverPid, server, block, stats } = device;
  if (isPaused(server)) {
    const trouble = `its server (pid ${serverPid}) ${describePause(server)}, so I/O waits: ${describeThaw(serverPid, server)}`;
    return { word: 'PAUSED', severity: 'bad', trouble };
  }
  const lost = describeLost(stats?.connections ?? [], wallMs);
  if (lost !== null) return { word: 'LIVE', severity: 'warning', trouble: lost };
  if (stalledMs < STUCK_AFTER_MS) return { word: 'LIVE', severity: 'good', trouble: null };
  const seconds = Math.floor(stalledMs / 1000);
  const waiting = block === null || block.inFlight === 0 ? 'requests wait' : `${requests(block.inFlight)} in flight`;
  const trouble = `${waiting} and none has completed for ${seconds} s: what ${itsServer(device)} waits for, such as the backing file, does not answer (see dmesg)`;
  return { word: 'STUCK', severity: 'bad', trouble };
}

function noServer(device: DeviceSample): ShownState {
  const { serverPid, server } = device;
  const trouble =
    server === 'zombie'
      ? `its server (pid ${serverPid}) was killed, but the kernel cannot end it yet (zombie), so I/O waits: see dmesg for what it is waiting for`
      : whyGone(device);
  return { word: 'NO SERVER', severity: 'bad', trouble };
}

function whyGoing(device: DeviceSample): string {
  const { server, heldBy } = device;
  if (heldBy !== null) return `it was deleted and goes when nobody holds it any more; it is still ${heldBy}`;
  const holder = isServing(server) ? itsServer(device) : 'a process that has it open or mounted';
  return `it was deleted and goes when ${holder} lets go of it`;
}

function itsServer({ serverPid }: DeviceSample): string {
  return serverPid > 0 ? `its server (pid ${serverPid})` : 'its server';
}

function requests(count: number): string {
  return count === 1 ? '1 request is' : `${count} requests are`;
}
