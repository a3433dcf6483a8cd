/**
 * The verdict: a sentence on how the client's data travels, and on what to do when it is copied. The kernel reports
 * nowhere that a request did not match and was copied, so this is where a user can learn it.
 */
import { type BufferView, DATA_WAYS, dataRequests, type DeviceView, type Period, wayShare } from './picture.ts';
import { registerCommand } from '../../spec/sealed-memory.ts';
import { escapeControls } from '../../text/escape.ts';
import { cutStart } from '../../text/fit.ts';
import { wholePercent } from '../../text/percent.ts';

export interface Verdict {
  readonly text: string;
  readonly severity: 'good' | 'warning' | 'neutral';
  /** Whether registering a buffer is what comes next; the monitor has a key for that. */
  readonly wantsBuffer: boolean;
}

export function verdictOf(device: DeviceView, period: Period): Verdict {
  const { buffers, sharedMemory } = device;
  if (buffers === null) return neutral(whyNotKnown(device));
  const span = device.spans[period];
  const idle = dataRequests(span) === 0;
  if (!sharedMemory) return withoutSharedMemory(device, period, idle);
  if (buffers.length === 0) {
    const command = registerCommand(device.id, device.target, 'FILE');
    const text = `No buffer is registered, so nothing can match: \`${command}\` registers one.`;
    return { text, severity: 'warning', wantsBuffer: true };
  }
  if (idle) return neutral('No requests. A request whose memory lies in a registered buffer needs no copy.');
  const matched = wayShare('matched', span) ?? 0;
  if (matched === 1) return good("All of the client's I/O lies in registered buffers: nothing is copied.");
  const [first] = buffers;
  if (matched > 0) return partlyMatched(device, period, matched);
  return warning(`None of the client's I/O matches. ${howToMatch(first)}`);
}

function whyNotKnown({ owner, serverRuns, serverPid }: DeviceView): string {
  if (owner === 'unknown') {
    return 'How the data of this device travels is not known here: neither the driver nor a record could be read.';
  }
  const whose = serverRuns
    ? `Another program serves this device (pid ${serverPid})`
    : "This device is another program's";
  return `${whose}: how its data travels is not known.`;
}

function partlyMatched(device: DeviceView, period: Period, matched: number): Verdict {
  const share = wholePercent(matched);
  const readOnly = (device.buffers ?? []).every((buffer) => buffer.readOnly);
  const { reads } = device.spans[period].block;
  if (readOnly && reads > 0) {
    return warning(`${share}% of the requests match; reads never match a read-only buffer and are copied.`);
  }
  return warning(`${share}% of the requests match; the rest lies outside the registered buffers and is copied.`);
}

const LONGEST_SOURCE = 60;

function howToMatch(buffer: BufferView | undefined): string {
  const source = cutStart(escapeControls(buffer?.source ?? 'the registered file'), LONGEST_SOURCE, '...');
  const where = buffer?.readOnly === true ? 'write from' : 'do I/O from';
  return `To match, map ${source} MAP_SHARED and ${where} there with O_DIRECT (fio: --direct=1 --mem=mmapshared:FILE).`;
}

function withoutSharedMemory({ spans, dataPath }: DeviceView, period: Period, idle: boolean): Verdict {
  const span = spans[period];
  if (idle) return neutral(`No requests. The data path is ${dataPath ?? 'not known'}.`);
  if (wayShare('registered', span) === 1) {
    return good("Zero copy: the backing file is read and written with the request's own pages.");
  }
  const used = DATA_WAYS.filter((way) => span.server.ways[way].requests > 0);
  if (used.includes('registered')) return warning('Some requests are zero copy; the others fall back to copying.');
  return neutral('Every request is copied between client and server. Shared memory (add --shmem_zc) avoids that.');
}

function good(text: string): Verdict {
  return { text, severity: 'good', wantsBuffer: false };
}

function neutral(text: string): Verdict {
  return { text, severity: 'neutral', wantsBuffer: false };
}

function warning(text: string): Verdict {
  return { text, severity: 'warning', wantsBuffer: false };
}
