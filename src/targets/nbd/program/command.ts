/** A program that the device's server starts as its NBD server, and how it is told where to listen. */
import { basename, isAbsolute, resolve } from 'node:path';
import { type UblkError, usageError } from '../../../errors.ts';
import { option } from '../../../spec/option-names.ts';
import { joinWords, splitWords } from '../../../text/shell-words.ts';

export interface Program {
  /** The program and its arguments, as they were given. */
  readonly words: readonly string[];
  /** The directory that it is started in. */
  readonly directory: string;
}

type Options = Readonly<Record<string, string>>;

/** A placeholder for the path of the socket. It can be any part of any word. */
const SOCKET = '{socket}';

/**
 * The arguments that tell a known program where to listen. The user's own arguments follow them, and therefore take
 * precedence.
 */
const LISTEN: Readonly<Record<string, readonly string[]>> = {
  nbdkit: ['-f', '-U', SOCKET],
  // Any number of clients may connect: each queue thread is one, and `update_size` is another.
  'qemu-nbd': ['--persistent', '--shared=0', '-k', SOCKET],
};

/** The program that the options name; null when they name none. Throws a usage error for one that cannot be started. */
export function programOf({ program, directory = process.cwd(), uri }: Options): Program | null {
  if (program === undefined) return null;
  if (uri !== undefined)
    throw refused(program, ['a ', option('targetOptions.uri'), ' is named too'], 'name one of them');
  const words = splitWords(program);
  if (words === null) throw refused(program, 'a quote in it is not closed', 'quote it as for a shell');
  const [name] = words;
  if (name === undefined) throw refused(program, 'it is empty', 'for example: ublkts add -t nbd -- nbdkit memory 1G');
  if (LISTEN[basename(name)] === undefined && !words.some((word) => word.includes(SOCKET))) {
    const hint = `write ${SOCKET} where it takes the path of a unix socket; ublkts knows this only for nbdkit and qemu-nbd`;
    throw refused(program, 'nothing tells it where to listen', hint);
  }
  return { words, directory };
}

/**
 * The options as they are recorded: with the directory, and with an absolute path if the program was given as a path.
 */
export function recordedProgram(options: Options): Options {
  const program = programOf(options);
  if (program === null) return options;
  const [name = '', ...args] = program.words;
  const directory = resolve(program.directory);
  const file = name.includes('/') ? resolve(directory, name) : name;
  return { ...options, program: joinWords([file, ...args]), directory };
}

/** The words that start it so that it listens on the unix socket `path`. */
export function startWords({ words }: Program, path: string): string[] {
  const [name = '', ...args] = words;
  const hasSocket = args.some((word) => word.includes(SOCKET));
  const listen = hasSocket ? [] : (LISTEN[basename(name)] ?? []);
  return [name, ...[...listen, ...args].map((word) => word.replaceAll(SOCKET, path))];
}

/** The paths that the program may open when it is started again: every part of its words that could be a path. */
export function pathsOf(program: Program): string[] {
  return [program.directory, ...SYSTEM_FOLDERS, ...pathsIn(program.words, program)];
}

/** The paths that its arguments may name: what it serves is among them. */
export function argumentPathsOf(program: Program): string[] {
  return pathsIn(program.words.slice(1), program);
}

function pathsIn(words: readonly string[], { directory }: Program): string[] {
  const parts = words.flatMap((word) => word.split(/[=,:]/)).filter((part) => part !== '');
  return parts.map((part) => (isAbsolute(part) ? part : resolve(directory, part)));
}

/** Where programs have their libraries, settings and temporary files. */
const SYSTEM_FOLDERS = ['/etc', '/opt', '/run', '/tmp', '/usr', '/var', '/var/lib', '/var/tmp'];

function refused(program: string, why: Parameters<typeof usageError>[0], hint: string): UblkError {
  const reason = typeof why === 'string' ? [why] : why;
  return usageError([`cannot start ${JSON.stringify(program)}: `, ...reason], hint);
}
