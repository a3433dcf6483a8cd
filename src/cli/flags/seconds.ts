import * as Flags from '@oclif/core/flags';
import { usageError } from '../../errors.ts';

/** The shortest interval, in seconds. At shorter ones the sampling itself would show in the figures. */
const SHORTEST = 0.1;
const LONGEST = 86_400;

/** A flag for a time: `1`, `0.5`, `10s`, `250ms`. */
export const seconds = Flags.custom<number>({
  helpValue: 'SECONDS',
  parse: (text) => Promise.resolve(parseSeconds(text)),
});

function parseSeconds(text: string): number {
  const groups = /^(?<number>\d+(?:\.\d+)?|\.\d+)(?<unit>ms|s|m)?$/.exec(text)?.groups;
  const scale = { ms: 0.001, s: 1, m: 60 }[groups?.['unit'] ?? 's'] ?? 1;
  const value = Number(groups?.['number'] ?? Number.NaN) * scale;
  if (!(value >= SHORTEST && value <= LONGEST)) {
    throw usageError(`${JSON.stringify(text)} is not an interval`, 'write seconds from 0.1 up, for example 0.5 or 10');
  }
  return value;
}
