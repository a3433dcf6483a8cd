/** Turns oclif's parse errors into errors of this program, in its words. oclif attaches its whole configuration to them. */
import type { FlagShapes } from '../argv/normalise.ts';
import { UblkError, usageError } from '../../errors.ts';

const NO_VALUE = /^Flag (--\S+) expects (?:a value|one of these values: (.+))$/;
const WRONG_OPTION = /^Expected (--[^=\s]+)=(.*) to be one of: (.+)$/s;
const WRONG_ARGUMENT = /^Expected (.*) to be one of: (.+)$/s;
const FAILED_PARSER = /^Parsing (--\S+) \n\t(.*)$/s;

/** The command whose words could not be parsed, as far as a hint shows it. */
export interface ParsedCommand {
  readonly flags: FlagShapes;
  /** A command line that works. */
  readonly example: string | undefined;
}

export function describeParseError(
  thrown: unknown,
  command: ParsedCommand = { flags: {}, example: undefined },
): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const message = stripColour(thrown.message).replace(/\nSee more help with --help$/, '');
  const failed = FAILED_PARSER.exec(message);
  if (failed !== null) return refusedValue(thrown, `${failed[1]}: ${failed[2]}`);
  const wrong = WRONG_OPTION.exec(message);
  if (wrong !== null) return usageError(`${wrong[1]} ${wrong[2]} is not possible`, `it is one of ${wrong[3]}`);
  const wrongArgument = WRONG_ARGUMENT.exec(message);
  if (wrongArgument !== null) {
    return usageError(`"${wrongArgument[1]}" is not possible`, `it is one of ${wrongArgument[2]}`);
  }
  const missing = NO_VALUE.exec(message);
  if (missing !== null) return missingValue(missing[1] ?? '', missing[2], command);
  if (isMissingArgument(thrown)) return missingArgument(thrown.args);
  return isUsage(thrown) ? usageError(tidy(message), usageHint(message, command)) : thrown;
}

/** A usage error of our own value parsers, whose message oclif has wrapped in its own. */
function refusedValue(thrown: Error, message: string): UblkError {
  return usageError(message, thrown instanceof UblkError ? thrown.hint : undefined);
}

function usageHint(message: string, { example }: ParsedCommand): string | undefined {
  if (message.includes('cannot also be provided')) return 'give one of them';
  return example === undefined || !message.startsWith('Unexpected argument') ? undefined : `for example \`${example}\``;
}

/** Shows where the value stands, under the name that the help gives it. */
function missingValue(flag: string, options: string | undefined, { flags }: ParsedCommand): UblkError {
  const placeholder = flags[flag.slice(2)]?.helpValue ?? 'VALUE';
  return usageError(
    `${flag} needs a value`,
    options === undefined ? `write \`${flag} ${String(placeholder)}\`` : `it is one of ${options}`,
  );
}

interface Argument {
  readonly name: string;
  /** Its possible values; absent where any text is possible. */
  readonly options?: readonly string[];
}

/** oclif's RequiredArgsError. Its message lists the arguments in columns, so the names are taken from `args`. */
function isMissingArgument(thrown: Error): thrown is Error & { readonly args: readonly Argument[] } {
  return thrown.message.startsWith('Missing ') && 'args' in thrown && Array.isArray(thrown.args);
}

/** Names the argument as `--help` does, which is in capitals. */
function missingArgument([argument]: readonly Argument[]): UblkError {
  const values = argument?.options?.join(', ');
  return usageError(
    `${argument?.name.toUpperCase()} is missing`,
    values === undefined ? '--help says what it is, and shows examples' : `it is one of ${values}`,
  );
}

function isUsage(thrown: Error): boolean {
  return 'oclif' in thrown;
}

/** oclif's lines without their heading and indentation, as one line. */
function tidy(message: string): string {
  const lines = message
    .replace(/^The following errors? occurred:\s*/, '')
    .split('\n')
    .map((line) => line.trim().replace(/^Missing required flag (\S+)$/, '--$1 is missing'))
    .filter((line) => line !== '');
  return lines.join('; ').replace(/^Unexpected argument/, 'unexpected argument');
}

function stripColour(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/\u001b\[[0-9;]*m/g, '');
}
