/** Reports a failure: one line and a hint for a person, one object for a program, an exit code for a script. */
import { UblkError } from '../../errors.ts';
import { shortageOf } from '../../native/shortage.ts';
import { textOfCode } from '../../native/uapi/errno.ts';
import { escapeControls } from '../../text/escape.ts';
import { wants, wantsJson } from '../argv/global-flags.ts';
import { findCommand, type FoundCommand, readManifest } from '../dispatch/manifest.ts';
import { exitCodeOf } from './exit-codes.ts';
import { messageOf } from '../flags/flag-names.ts';
import { hintFor } from './hints.ts';
import { jsonDocument } from '../output/json.ts';
import { errorStyles } from '../output/styles.ts';

/** Prints the failure and returns the exit code. */
export function reportFailure(thrown: unknown, argv: readonly string[]): number {
  const error = thrown instanceof UblkError ? thrown : unexpected(thrown);
  if (wantsJson(argv)) process.stdout.write(jsonDocument({ error: errorObject(error) }));
  else process.stderr.write(errorLines(error, namingWords(argv)));
  if (wants('debug', argv)) process.stderr.write(`${stackOf(error).split('\n').map(escapeControls).join('\n')}\n`);
  return exitCodeOf(error);
}

export interface ErrorObject {
  code: string;
  message: string;
  command: string | null;
  device: number | null;
  hint: string | null;
}

export function errorObject(error: UblkError): ErrorObject {
  return {
    code: error.code,
    message: messageOf(error),
    command: error.command ?? null,
    device: error.device ?? null,
    hint: hintFor(error) ?? null,
  };
}

/** `ublkts del: there is no device 0 (GET_DEV_INFO, ENODEV)`, then `hint: ...`. `command` has the words that name the command. */
export function errorLines(error: UblkError, command: readonly string[]): string {
  const speaker = escapeControls(['ublkts', ...command].join(' '));
  const hint = hintFor(error);
  const first = `${errorStyles.error(`${speaker}:`)} ${escapeControls(`${messageOf(error)}${refusal(error)}`)}\n`;
  return hint === undefined ? first : `${first}${errorStyles.hint('hint:')} ${escapeControls(hint)}\n`;
}

/** The words that name the command, as they were typed: `lab run`. */
function namingWords(argv: readonly string[]): readonly string[] {
  const [first] = argv;
  if (first === undefined || first.startsWith('-')) return [];
  const found = commandNamedBy(argv);
  return found === undefined ? [first] : argv.slice(0, argv.length - found.rest.length);
}

/** Finds the command. The failure that is reported may be that there is no manifest. */
function commandNamedBy(argv: readonly string[]): FoundCommand | undefined {
  try {
    return findCommand(readManifest(), argv);
  } catch {
    return undefined;
  }
}

/** The command that refused, the device and the errno, as far as the sentence does not name them. */
function refusal(error: UblkError): string {
  if (error.kind === 'usage') return '';
  const facts = [error.command, error.device === undefined ? undefined : `device ${error.device}`, error.code].filter(
    (fact) => fact !== undefined && !error.message.includes(fact),
  );
  return facts.length === 0 ? '' : ` (${facts.join(', ')})`;
}

function unexpected(thrown: unknown): UblkError {
  const known = shortageOf(thrown) ?? lostDirectory(thrown) ?? refusedFile(thrown);
  if (known !== undefined) return known;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'INTERNAL';
  return new UblkError(message, { code, cause: thrown });
}

/** A path that does not begin with / leads nowhere then, and Node cannot start a thread. */
function lostDirectory(thrown: unknown): UblkError | undefined {
  if (!(thrown instanceof Error) || (thrown as NodeJS.ErrnoException).syscall !== 'uv_cwd') return undefined;
  return new UblkError('the current directory was deleted', {
    code: 'ENOENT',
    kind: 'usage',
    hint: 'change to a directory that is there',
    cause: thrown,
  });
}

const VERBS: Readonly<Record<string, string>> = { mkdir: 'make', mkdtemp: 'make' };

/** Node's own words for a file that the system refuses begin with the errno. */
function refusedFile(thrown: unknown): UblkError | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { code, syscall, path } = thrown as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined || path === undefined || /\s/.test(syscall)) return undefined;
  return new UblkError(`cannot ${VERBS[syscall] ?? syscall} ${path}: ${textOfCode(code)}`, {
    code,
    command: syscall,
    cause: thrown,
  });
}

/** How many causes of an error are told. An error can be its own cause. */
const CAUSES = 8;

function stackOf(error: Error, causes = CAUSES): string {
  const { cause } = error;
  const stack = error.stack ?? String(error);
  return cause instanceof Error && causes > 0 ? `${stack}\ncaused by: ${stackOf(cause, causes - 1)}` : stack;
}
