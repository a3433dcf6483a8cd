/** What changes a device: why it cannot be done now, and what leads to it - a line to type, a question, a command. */
import { selectedBuffer } from '../screen.ts';
import { canBeRecovered } from '../../watch/model/states.ts';
import { pointedDevice } from './moving.ts';
import { aboutDeleting, aboutUnregistering } from './questions.ts';
import { done, type Outcome, type Situation } from './situation.ts';

/** Why not now; null: a buffer can be registered. */
export function whyNoBuffer(situation: Situation): string | null {
  const device = pointedDevice(situation);
  if (device === undefined) return 'there is no device to register a buffer with';
  if (device.buffers === null) return `another program serves ${device.name}`;
  if (!device.sharedMemory) return `${device.name} was added without --shmem_zc`;
  return device.state.word === 'LIVE' ? null : `${device.name} is ${device.state.word}`;
}

/** The path comes next, a key at a time (typing.ts). */
export function askForBuffer(situation: Situation): Outcome {
  const device = pointedDevice(situation)?.id ?? 0;
  return done(situation.screen, { typing: { what: 'register', text: '', device, readOnly: false } });
}

/** Why not now; null: there is a buffer to unregister. */
export function whyNoUnregistering({ screen, picture }: Situation): string | null {
  return selectedBuffer(picture, screen) === undefined ? 'there is no buffer to unregister' : null;
}

/** The answer comes next (questions.ts). */
export function askToUnregister({ screen, picture }: Situation): Outcome {
  const chosen = selectedBuffer(picture, screen);
  return chosen === undefined ? { screen } : done(screen, { question: aboutUnregistering(chosen) });
}

/** Why not now; null: the device waits for a server. */
export function whyNoRecovery(situation: Situation): string | null {
  const device = pointedDevice(situation);
  if (device === undefined) return 'there is no device to recover';
  if (canBeRecovered(device.state)) return device.buffers === null ? `another program served ${device.name}` : null;
  if (device.state.word === 'LIVE') return `${device.name} has its server`;
  return `${device.name} is ${device.state.word}: only a device added with -r 1 can be recovered`;
}

/** Nothing goes, so nothing is asked. */
export function recover(situation: Situation): Outcome {
  const device = pointedDevice(situation)?.id ?? 0;
  return { ...done(situation.screen, {}), action: { kind: 'recover', device } };
}

/** Why not now; null: there is a device to delete. */
export function whyNoDeleting(situation: Situation): string | null {
  return pointedDevice(situation) === undefined ? 'there is no device to delete' : null;
}

/** The answer comes next (questions.ts). */
export function askToDelete(situation: Situation): Outcome {
  const { screen } = situation;
  const device = pointedDevice(situation);
  return device === undefined ? { screen } : done(screen, { question: aboutDeleting(device) });
}
