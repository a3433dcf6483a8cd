/** The state of a device in a word, what it means for who uses it, and how bad that is. */
import type { DeviceSample } from '../sampling/sample.ts';

export type Tone = 'good' | 'warning' | 'bad' | 'neutral';

export interface ShownState {
  readonly word: 'LIVE' | 'QUIESCED' | 'FAIL_IO' | 'DEAD' | 'NO SERVER';
  readonly tone: Tone;
  /** What is wrong, a sentence; null when nothing is. */
  readonly trouble: string | null;
}

export function stateOf(device: DeviceSample): ShownState {
  const state = device.kernel?.state ?? (device.serverRuns ? 'LIVE' : 'DEAD');
  if (state === 'LIVE') {
    if (device.serverRuns) return { word: 'LIVE', tone: 'good', trouble: null };
    return { word: 'NO SERVER', tone: 'bad', trouble: whyGone(device) };
  }
  const why = whyGone(device);
  if (state === 'QUIESCED') return { word: state, tone: 'warning', trouble: `${why}; I/O waits until it is recovered` };
  if (state === 'FAIL_IO') return { word: state, tone: 'bad', trouble: `${why}; I/O fails until it is recovered` };
  return { word: 'DEAD', tone: 'bad', trouble: `${why}; there is no /dev/ublkb${device.id}` };
}

/** Recovery is for a device that the kernel kept. */
export function canBeRecovered({ word }: ShownState): boolean {
  return word === 'QUIESCED' || word === 'FAIL_IO';
}

export function whyGone({ own, serverPid, serverRuns }: DeviceSample): string {
  if (own?.ended !== undefined && own.ended !== null) return own.ended;
  if (serverPid <= 0) return 'it has no server';
  if (serverRuns) return `its server (pid ${serverPid}) is not serving it`;
  return `its server (pid ${serverPid}) is gone without a word: killed, or out of memory (see dmesg)`;
}
