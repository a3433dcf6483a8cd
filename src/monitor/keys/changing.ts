/** The keys that change a device: why they cannot be pressed now, and what they lead to (a line to type, a question, an action). */
import { selectedBuffer } from '../screen.ts';
import { whyNotOurs } from '../../watch/model/owner.ts';
import { canBeRecovered } from '../../watch/model/states.ts';
import { pointedDevice } from './moving.ts';
import { aboutDeleting, aboutUnregistering } from './questions.ts';
import { done, type Outcome, type Situation } from './situation.ts';

/** Says why no buffer can be registered now; null when one can. */
export function whyNoBuffer(situation: Situation): string | null {
  const device = pointedDevice(situation);
  if (device === undefined) return 'there is no device to register a buffer with';
  const notOurs = whyNotOurs(device);
  if (notOurs !== null) return notOurs;
  if (!device.sharedMemory) return `${device.name} was added without --shmem_zc`;
  return device.state.word === 'LIVE' ? null : `${device.name} is ${device.state.word}`;
}

/** The path of the buffer is typed next (typing.ts). */
export function askForBuffer(situation: Situation): Outcome {
  const device = pointedDevice(situation)?.id ?? 0;
  return done(situation.screen, { typing: { what: 'register', text: '', device, readOnly: false } });
}

/** Says why no buffer can be unregistered now; null when one can. */
export function whyNoUnregistering({ screen, picture }: Situation): string | null {
  return selectedBuffer(picture, screen) === undefined ? 'there is no buffer to unregister' : null;
}

/** The question is answered with the next key (questions.ts). */
export function askToUnregister({ screen, picture }: Situation): Outcome {
  const chosen = selectedBuffer(picture, screen);
  return chosen === undefined ? { screen } : done(screen, { question: aboutUnregistering(chosen) });
}

/** Says why the device cannot be recovered now; null when it can. */
export function whyNoRecovery(situation: Situation): string | null {
  const device = pointedDevice(situation);
  if (device === undefined) return 'there is no device to recover';
  if (canBeRecovered(device.state)) return whyNotOurs(device);
  if (device.state.word === 'LIVE') return `${device.name} has its server`;
  return `${device.name} is ${device.state.word}: only a device added with -r 1 can be recovered`;
}

/** Recovering removes nothing, so there is no question. */
export function recover(situation: Situation): Outcome {
  const device = pointedDevice(situation)?.id ?? 0;
  return { ...done(situation.screen, {}), action: { kind: 'recover', device } };
}

/** Says why no device can be deleted now; null when one can. */
export function whyNoDeleting(situation: Situation): string | null {
  return pointedDevice(situation) === undefined ? 'there is no device to delete' : null;
}

/** The question is answered with the next key (questions.ts). */
export function askToDelete(situation: Situation): Outcome {
  const { screen } = situation;
  const device = pointedDevice(situation);
  return device === undefined ? { screen } : done(screen, { question: aboutDeleting(device) });
}
