import { type OptionMention, type Text, UblkError, usageError } from '../../errors.ts';

/** Reads the values of -o: each is NAME=VALUE. */
export function parseTargetOptions(pairs: readonly string[]): Record<string, string> {
  // Not by assignment, which does not make a property of `__proto__`.
  return Object.fromEntries(pairs.map(nameAndValue));
}

/** The error, for a command without flags for the options of targets: each of them is given with -o. */
export function givenWithO(error: UblkError): UblkError {
  const { text, hintText, code, kind, command, cause } = error;
  return new UblkError(withO(text), {
    code,
    kind,
    cause,
    ...(command !== undefined && { command }),
    ...(hintText !== undefined && { hint: withO(hintText) }),
  });
}

function withO(text: Text): Text {
  return typeof text === 'string' ? text : text.map((piece) => (typeof piece === 'string' ? piece : wordOf(piece)));
}

function wordOf(mention: OptionMention): string | OptionMention {
  const own = /^targetOptions\.(.+)$/.exec(mention.option)?.[1];
  return own === undefined ? mention : `-o ${own}`;
}

function nameAndValue(pair: string): [string, string] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw usageError(`--target_option ${pair} is not NAME=VALUE`, 'for example -o chunk_size=65536');
}
