/** What a person can choose about the lab's guest. */
import * as Flags from '@oclif/core/flags';
import { usageError } from '../../errors.ts';
import { parseSize } from '../../sizes.ts';
import { wholeNumber } from './values.ts';

const MIB = 1024 * 1024;

export const guestFlags = {
  memory: Flags.custom({ helpValue: 'SIZE', parse: (text) => Promise.resolve(parseMemory(text)) })({
    summary: 'Memory of the guest.',
    default: '2048M',
    defaultHelp: () => Promise.resolve('2G'),
  }),
  cpus: wholeNumber({ summary: 'CPUs of the guest.', default: 2 }),
  env: Flags.string({
    summary: 'Set an environment variable of the command.',
    helpValue: 'NAME=VALUE',
    multiple: true,
  }),
};

export function parseEnvironment(assignments: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(assignments.map(parseAssignment));
}

function parseAssignment(text: string): [string, string] {
  const [name = '', ...value] = text.split('=');
  if (name === '' || value.length === 0) throw usageError(`--env ${JSON.stringify(text)} is not NAME=VALUE`);
  return [name, value.join('=')];
}

/** As QEMU reads it. */
function parseMemory(text: string): string {
  return `${parseSize(text, { multipleOf: MIB }) / MIB}M`;
}
