import { usageError } from '../../errors.ts';

/** Reads the values of -o: each is NAME=VALUE. */
export function parseTargetOptions(pairs: readonly string[]): Record<string, string> {
  // Not by assignment, which does not make a property of `__proto__`.
  return Object.fromEntries(pairs.map(nameAndValue));
}

function nameAndValue(pair: string): [string, string] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw usageError(`--target_option ${pair} is not NAME=VALUE`, 'for example -o chunk_size=65536');
}
