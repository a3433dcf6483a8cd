import { usageError } from '../../errors.ts';

/** Reads the values of -o: each is NAME=VALUE. */
export function parseTargetOptions(pairs: readonly string[]): Record<string, string> {
  const options: Record<string, string> = {};
  for (const pair of pairs) {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (name === undefined || value === undefined) {
      throw usageError(`--target_option ${pair} is not NAME=VALUE`, 'for example -o chunk_size=65536');
    }
    options[name] = value;
  }
  return options;
}
