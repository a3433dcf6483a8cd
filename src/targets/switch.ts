/** The values of an option that is on or off, for every target. */
import { usageError } from '../errors.ts';
import { option } from '../spec/option-names.ts';

const ON = ['yes', 'true', 'on', '1'];
const OFF = ['no', 'false', 'off', '0'];

/** `name`: the option's, for the message of the UblkError that any other text gets. */
export function parseSwitch(text: string, name: string): boolean {
  const value = switchValue(text);
  if (value !== null) return value;
  throw usageError(
    [option(`targetOptions.${name}`), ` ${JSON.stringify(text)} is neither yes nor no`],
    `write -o ${name}=yes or -o ${name}=no`,
  );
}

/** null for a text that is neither. */
export function switchValue(text: string): boolean | null {
  if (ON.includes(text)) return true;
  return OFF.includes(text) ? false : null;
}
