/** From words to a command. What is no command is answered with help, or with what may have been meant. */
import { wants, wantsShort } from '../argv/normalise.ts';
import { UNKNOWN_COMMAND } from '../failures/exit-codes.ts';
import { closest } from './suggest.ts';
import { UblkError, usageError } from '../../errors.ts';
import type { RunnableCommand } from '../base-command.ts';

/** The commands by their words. */
export interface CommandTable {
  findCommand(argv: readonly string[]): FoundCommand | undefined;
  /** Everything that can stand where a command does. */
  commandNames(): string[];
}

export interface FoundCommand {
  readonly id: string;
  readonly load: () => Promise<{ readonly default: RunnableCommand }>;
  /** The words behind the command's own. */
  readonly rest: readonly string[];
}

export async function dispatch(argv: readonly string[], table: CommandTable): Promise<void> {
  const [first] = argv;
  if (first === undefined) {
    await showHelp([], table);
    throw usageError('a command is missing', 'ublkts help COMMAND says more');
  }
  if (first === '--version' || first === 'version') {
    const { loadManifest } = await import('./load-config.ts');
    process.stdout.write(`${(await loadManifest()).userAgent}\n`);
    return;
  }
  if (argv[0] === 'help' || wants('help', argv) || wantsShort('h', argv)) {
    await showHelp(
      argv.filter((word) => word !== 'help' && !word.startsWith('-')),
      table,
    );
    return;
  }
  const found = table.findCommand(argv);
  if (found !== undefined) {
    const { default: command } = await found.load();
    await command.start(found.id, found.rest);
  } else {
    await showHelp([first], table);
  }
}

/** Of a command or a topic, or of all. */
async function showHelp(words: readonly string[], table: CommandTable): Promise<void> {
  const { showHelpOf } = await import('./help.ts');
  const subject = table.findCommand(words)?.id ?? words[0];
  if (!(await showHelpOf(subject))) throw unknownCommand(subject ?? '', table);
}

function unknownCommand(word: string, table: CommandTable): UblkError {
  if (word.startsWith('-')) return usageError(`no such flag: ${word}`, 'ublkts help lists the commands');
  const meant = closest(word, table.commandNames());
  return new UblkError(`no such command: ${word}`, {
    code: UNKNOWN_COMMAND,
    kind: 'usage',
    hint: meant === undefined ? 'ublkts help lists the commands' : `did you mean ${meant.replaceAll(':', ' ')}?`,
  });
}
