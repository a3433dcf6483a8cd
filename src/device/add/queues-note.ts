/** Says when a device has fewer queues than it was asked for: the driver makes no more than there can be CPUs. */
import { ADD_DEFAULTS } from '../../spec/options.ts';

/** One sentence, or none. Nobody has asked for the default, which is also what every device has. */
export function queuesNote(asked: number, granted: number): string[] {
  if (granted >= asked || asked <= ADD_DEFAULTS.queues) return [];
  const has = granted === 1 ? '1 queue' : `${granted} queues`;
  return [`the device has ${has}, not ${asked}: a device has no more queues than the machine has CPUs`];
}
