/** Finds the command that the words name and runs it. Other words are answered with help, or with a suggestion. */
import { enableCompileCache } from 'node:module';
import { compileCache } from '../../cache-home.ts';
import { UblkError, usageError } from '../../errors.ts';
import { callFromOneThread } from '../../native/one-thread.ts';
import { fold } from '../argv/fold.ts';
import { wants, wantsShort } from '../argv/global-flags.ts';
import { UNKNOWN_COMMAND } from '../failures/exit-codes.ts';
import {
  commandNames,
  findCommand,
  loadCommand,
  type Manifest,
  type ManifestCommand,
  readManifest,
} from './manifest.ts';
import { joinWords } from '../../text/shell-words.ts';
import { closest } from '../../text/suggest.ts';

export async function dispatch(argv: readonly string[]): Promise<void> {
  callFromOneThread();
  const manifest = readManifest();
  const [first] = argv;
  if (first === '--version' || first === 'version') {
    process.stdout.write(`${versionLine(manifest)}\n`);
    return;
  }
  if (asksForHelp(argv)) {
    const words = argv.filter((word) => word !== 'help' && !word.startsWith('-'));
    await showHelp(words, manifest);
    await showTargetHelp(argv, manifest);
    return;
  }
  const found = findCommand(manifest, argv);
  if (found !== undefined) {
    const { id } = found.command;
    const cache = compileCache(id.replaceAll(':', '-'));
    if (cache !== undefined) enableCompileCache(cache);
    await loadCommand(found.command).start(id, found.rest);
  } else {
    if (first?.startsWith('-') === true) throw flagFirst(first, argv, manifest);
    requireInTopic(argv, manifest);
    await showHelp([first ?? ''], manifest);
  }
}

/** Throws for words that name a topic, and then none of its commands. */
function requireInTopic([topic, word]: readonly string[], manifest: Manifest): void {
  if (isTopic(manifest, topic) && isWord(word)) throw unknownCommand(`${topic} ${word}`, manifest);
}

function isTopic({ commands }: Manifest, word: string | undefined): boolean {
  return Object.keys(commands).some((id) => id.startsWith(`${word}:`));
}

function isWord(text: string | undefined): boolean {
  return text !== undefined && !text.startsWith('-');
}

/** The program without a word prints its help, as people expect of it. */
function asksForHelp(argv: readonly string[]): boolean {
  return argv.length === 0 || argv[0] === 'help' || wants('help', argv) || wantsShort('h', argv);
}

function versionLine({ version }: Manifest): string {
  return `ublkts/${version} ${process.platform}-${process.arch} node-${process.version}`;
}

/** Shows the help of the command or topic that the words name; of the whole program without words. */
async function showHelp(words: readonly string[], manifest: Manifest): Promise<void> {
  const found = findCommand(manifest, words);
  if (found === undefined) requireInTopic(words, manifest);
  const { showHelpOf } = await import('./help.ts');
  const subject = found?.command.id ?? words[0];
  if (!(await showHelpOf(subject))) throw unknownCommand(subject ?? '', manifest);
}

/** Commands under the names that they have in other programs. */
const OTHER_WORDS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    create: 'add',
    make: 'add',
    new: 'add',
    delete: 'del',
    remove: 'del',
    destroy: 'del',
    show: 'list',
    status: 'list',
    ps: 'list',
    watch: 'monitor',
    resize: 'update_size',
    grow: 'update_size',
    restart: 'recover',
    register: 'reg-buf',
    unregister: 'unreg-buf',
    check: 'doctor',
  }),
);

/** Adds what is particular to the target that is named with -t. */
async function showTargetHelp(argv: readonly string[], manifest: Manifest): Promise<void> {
  const found = findCommand(manifest, argv[0] === 'help' ? argv.slice(1) : argv);
  if (found === undefined || !('type' in found.command.flags)) return;
  const { namedTarget, targetHelp } = await import('./target-help.ts');
  const name = namedTarget(found.rest, found.command.flags);
  if (name === null) return;
  const { orCutShort } = await import('../failures/cut-short.ts');
  const { printConsoleOnStderr } = await import('../output/console.ts');
  printConsoleOnStderr();
  await orCutShort(argv, async () => void process.stdout.write(await targetHelp(name)));
}

/** Many programs take flags before the command. Here every flag belongs to a command. */
function flagFirst(flag: string, argv: readonly string[], manifest: Manifest): UblkError {
  const at = argv.findIndex((_word, index) => findCommand(manifest, argv.slice(index)) !== undefined);
  const found = at < 0 ? undefined : findCommand(manifest, argv.slice(at));
  const commands = found === undefined ? Object.values(manifest.commands) : [found.command];
  if (!commands.some((command) => hasFlag(command, flag)))
    return usageError(`no such flag: ${flag}`, '`ublkts help` lists the commands');
  if (found === undefined)
    return usageError(`${flag} is a flag of commands, and no command is named`, '`ublkts help` lists the commands');
  const command = argv.slice(at, argv.length - found.rest.length);
  const line = joinWords(['ublkts', ...command, ...argv.slice(0, at), ...found.rest]);
  return usageError(`${flag} stands before the command`, `flags follow it: \`${line}\``);
}

function hasFlag({ flags }: ManifestCommand, word: string): boolean {
  const name = fold(word.replace(/=.*$/s, ''));
  if (!word.startsWith('--')) return Object.values(flags).some(({ char }) => char !== undefined && char === word[1]);
  return Object.keys(flags).some((flag) => `--${fold(flag)}` === name);
}

function unknownCommand(word: string, manifest: Manifest): UblkError {
  const meant = commandFor(word, manifest);
  return new UblkError(`no such command: ${word}`, {
    code: UNKNOWN_COMMAND,
    kind: 'usage',
    hint: meant === undefined ? '`ublkts help` lists the commands' : `did you mean ${meant}?`,
  });
}

function commandFor(word: string, manifest: Manifest): string | undefined {
  const spelled = closest(word, [...commandNames(manifest), ...OTHER_WORDS.keys()]);
  return spelled === undefined ? undefined : (OTHER_WORDS.get(spelled) ?? spelled);
}
