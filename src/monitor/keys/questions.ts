/** The questions that are asked before something is removed, and their answers. */
import { formatSize } from '../../sizes.ts';
import { targetWords } from '../../watch/model/owner.ts';
import type { DeviceView } from '../../watch/model/picture.ts';
import type { Question, Screen, ShownBuffer } from '../screen.ts';
import { done, type KeyName, type Outcome } from './situation.ts';

/** The question says what the device is, and whether it is in use. */
export function aboutDeleting(device: DeviceView): Question {
  const { id, name, sources, sizeBytes, serverPid, serverRuns, inFlight } = device;
  const what = [targetWords(device), ...sources].join(' ');
  const lines = [`/dev/${name}: ${what}, ${formatSize(sizeBytes)}`];
  if (serverRuns) lines.push(serverPid > 0 ? `Its server (pid ${serverPid}) stops.` : 'Its server stops.');
  if (inFlight > 0) lines.push(`${inFlight} requests are in flight: someone is using it.`);
  return { title: `Delete ${name}?`, lines, yes: 'delete it', does: { kind: 'delete', device: id } };
}

/** The question says which device has the buffer, and what happens to requests that match it. */
export function aboutUnregistering({ device, buffer }: ShownBuffer): Question {
  const { index, source, length, tallies } = buffer;
  const lines = [`${source}, ${formatSize(length)}, of ${device.name} (${device.target ?? '?'})`];
  lines.push(
    tallies.interval.requests > 0
      ? 'It is in use: the requests that match it now will be copied.'
      : 'Requests from its memory will be copied.',
  );
  const does = { kind: 'unregister', device: device.id, index } as const;
  return { title: `Unregister buffer ${index}?`, lines, yes: 'unregister it', does };
}

/** A key that means neither yes nor no changes nothing. */
export function answer(screen: Screen, { does }: Question, key: KeyName): Outcome {
  if (key === 'y' || key === 'Y') {
    const next = { ...screen, question: null };
    return does === 'quit' ? { screen: next, quit: true } : { screen: next, action: does };
  }
  return key === 'n' || key === 'N' || key === 'esc' || key === 'q' ? done(screen, { question: null }) : { screen };
}
