/** The flags that describe the guest of the lab. */
import * as Flags from '@oclif/core/flags';
import { usageError } from '../../errors.ts';
import { parseSize } from '../../sizes.ts';
import { wholeNumber } from './values.ts';

const MIB = 1024 * 1024;

export const guestFlags = {
  memory: Flags.custom({ helpValue: 'SIZE', parse: (text) => Promise.resolve(parseMemory(text)) })({
    summary: 'The memory of the guest.',
    default: '2048M',
    defaultHelp: () => Promise.resolve('2G'),
  }),
  cpus: wholeNumber({ summary: 'The number of CPUs of the guest.', default: 2 }),
  env: Flags.string({
    summary: 'Set an environment variable for the command; may be repeated.',
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

/** The size as QEMU reads it. */
function parseMemory(text: string): string {
  return `${parseSize(text, { multipleOf: MIB }) / MIB}M`;
}
