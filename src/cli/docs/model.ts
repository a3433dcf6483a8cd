/**
 * The commands as the documents and the completions describe them: oclif's manifest with its templates filled in, and
 * the words that can be completed in each place. All documents are made from this model, so that none can be out of date.
 */
import type { Command } from '@oclif/core/command';
import { dataPathNames } from '../../spec/data-paths.ts';
import { OPTIONAL_NAME, withOptionalName } from '../argv/normalise.ts';

const BIN = 'ublkts';
const GLOBAL = 'GLOBAL';

/** The candidates for completing a word of the command line. */
export type Completion =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'device' | 'target' | 'file' | 'directory' | 'anything' };

export interface FlagDoc {
  readonly name: string;
  readonly char: string | undefined;
  readonly group: string;
  readonly summary: string;
  readonly required: boolean;
  readonly multiple: boolean;
  /** The placeholder for the value of a flag that takes one. */
  readonly value: string | undefined;
  readonly completion: Completion;
}

export interface ArgDoc {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly multiple: boolean;
  readonly completion: Completion;
}

export interface CommandDoc {
  /** The name as it is typed: `lab run`. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly usage: string;
  readonly flags: readonly FlagDoc[];
  readonly args: readonly ArgDoc[];
  /** Whether a program and its arguments can follow `--`. */
  readonly takesProgram: boolean;
  readonly examples: readonly string[];
}

/** A word with commands behind it, such as `lab`. */
export interface TopicDoc {
  readonly name: string;
  readonly summary: string;
  readonly members: readonly CommandDoc[];
}

export interface ProgramDoc {
  readonly commands: readonly CommandDoc[];
  readonly topics: readonly TopicDoc[];
}

type CommandSource = Pick<
  Command.Loadable,
  'aliases' | 'args' | 'description' | 'examples' | 'flags' | 'hidden' | 'id' | 'summary' | 'usage'
>;

/** The part of oclif's configuration that the documents are made of. */
export interface ProgramSource {
  readonly commands: readonly CommandSource[];
  readonly topics: readonly { readonly name: string; readonly description?: string | undefined }[];
}

/** Sorted by name. oclif lists each alias as a command of its own; here it belongs to its command. */
export function describeProgram({ commands, topics }: ProgramSource): ProgramDoc {
  const described = commands
    .filter(({ hidden, id, aliases }) => !hidden && !aliases.includes(id))
    .map(describeCommand)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const withMembers = topics.map(({ name, description = '' }) => ({
    name,
    summary: description,
    members: described.filter((command) => command.name.startsWith(`${name} `)),
  }));
  // oclif counts each command as a topic too.
  return { commands: described, topics: withMembers.filter(({ members }) => members.length > 0) };
}

/** The flags that only this command has, by group in order of appearance. */
export function ownFlags({ flags }: CommandDoc): [group: string, flags: FlagDoc[]][] {
  const names = new Set(flags.map(({ group }) => group).filter((group) => group !== GLOBAL));
  return [...names].map((name) => [name, flags.filter(({ group }) => group === name)]);
}

export function sharedFlags([command]: readonly CommandDoc[]): FlagDoc[] {
  return command?.flags.filter(({ group }) => group === GLOBAL) ?? [];
}

/** `-n, --number=DEVICE`. */
export function flagSynopsis({ char, name, value }: FlagDoc): string {
  const long = `--${nameAndValue(name, value)}`;
  return char === undefined ? long : `-${char}, ${long}`;
}

function nameAndValue(name: string, value: string | undefined): string {
  if (value === undefined) return name;
  return value === OPTIONAL_NAME ? withOptionalName(name) : `${name}=${value}`;
}

function describeCommand(command: CommandSource): CommandDoc {
  const name = command.id.replaceAll(':', ' ');
  const fill = (text: string): string =>
    text.replaceAll('<%= config.bin %>', BIN).replaceAll('<%= command.id %>', name);
  const args = Object.values(command.args).map(describeArg);
  const flags = Object.values(command.flags).map(describeFlag);
  const usage = typeof command.usage === 'string' ? fill(command.usage) : defaultUsage(name, args);
  return {
    name,
    aliases: command.aliases.map((alias) => alias.replaceAll(':', ' ')),
    summary: fill(command.summary ?? ''),
    description: fill(command.description ?? ''),
    usage: `${BIN} ${usage}`,
    flags,
    args,
    takesProgram: usage.includes(' -- ') || flags.some((flag) => flag.name === 'program'),
    examples: (command.examples ?? []).map((example) => fill(typeof example === 'string' ? example : example.command)),
  };
}

function defaultUsage(name: string, args: readonly ArgDoc[]): string {
  const words = args.map((arg) => {
    const word = `${arg.name.toUpperCase()}${arg.multiple ? '...' : ''}`;
    return arg.required ? word : `[${word}]`;
  });
  return [name, '[FLAGS]', ...words].join(' ');
}

function describeFlag(flag: CommandSource['flags'][string]): FlagDoc {
  const value = flag.type === 'option' ? valueOf(flag.helpValue, flag.options) : undefined;
  return {
    name: flag.name,
    char: flag.char,
    group: flag.helpGroup ?? 'FLAGS',
    summary: flag.summary ?? flag.description ?? '',
    required: flag.required === true,
    multiple: flag.type === 'option' && flag.multiple === true,
    value,
    completion: flag.type === 'option' ? completionOf(value ?? '', flag.options) : { kind: 'anything' },
  };
}

function valueOf(helpValue: string | string[] | undefined, options: readonly string[] | undefined): string {
  if (options !== undefined) return options.join('|');
  return (Array.isArray(helpValue) ? helpValue[0] : helpValue) ?? 'VALUE';
}

function describeArg(arg: CommandSource['args'][string]): ArgDoc {
  return {
    name: arg.name,
    description: arg.description ?? '',
    required: arg.required === true,
    multiple: arg.multiple === true,
    // The argument is the file of a target; the name of a built-in one is for the flag -t alone.
    completion: arg.name === 'target' ? { kind: 'file' } : completionOf(arg.name.toUpperCase(), arg.options),
  };
}

/** Placeholders mean the same everywhere, so they say what a word can be. */
function completionOf(placeholder: string, options: readonly string[] | undefined): Completion {
  if (options !== undefined) return { kind: 'words', words: options };
  switch (placeholder) {
    case 'DEVICE':
    case 'DEVICES':
      return { kind: 'device' };
    case 'TARGET':
      return { kind: 'target' };
    case 'DATA_PATH':
      return { kind: 'words', words: dataPathNames() };
    case 'PATH':
    case 'FILE':
    case 'FILES':
      return { kind: 'file' };
    case 'DIR':
      return { kind: 'directory' };
    default:
      return /^\w+(?:\|\w+)+$/.test(placeholder)
        ? { kind: 'words', words: placeholder.split('|') }
        : { kind: 'anything' };
  }
}
