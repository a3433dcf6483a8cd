/** From words to a command. What is no command is answered with help, or with what may have been meant. */
import { wants, wantsShort } from '../cli/argv.ts';
import { UNKNOWN_COMMAND } from '../cli/exit-codes.ts';
import { closest } from '../cli/suggest.ts';
import { UblkError, usageError } from '../errors.ts';
import { commandNames, findCommand } from './commands.ts';

export async function dispatch(argv: readonly string[]): Promise<void> {
  const [first] = argv;
  if (first === undefined) {
    await showHelp([]);
    throw usageError('a command is missing', 'ublkts help COMMAND says more');
  }
  if (first === '--version' || first === 'version') {
    const { loadManifest } = await import('../cli/manifest.ts');
    process.stdout.write(`${(await loadManifest()).userAgent}\n`);
    return;
  }
  if (argv[0] === 'help' || wants('help', argv) || wantsShort('h', argv)) {
    await showHelp(argv.filter((word) => word !== 'help' && !word.startsWith('-')));
    return;
  }
  const found = findCommand(argv);
  if (found !== undefined) {
    const { default: command } = await found.load();
    await command.start(found.id, found.rest);
  } else {
    await showHelp([first]);
  }
}

/** Of a command or a topic, or of all. */
async function showHelp(words: readonly string[]): Promise<void> {
  const { showHelpOf } = await import('./help.ts');
  const subject = findCommand(words)?.id ?? words[0];
  if (!(await showHelpOf(subject))) throw unknownCommand(subject ?? '');
}

function unknownCommand(word: string): UblkError {
  if (word.startsWith('-')) return usageError(`no such flag: ${word}`, 'ublkts help lists the commands');
  const meant = closest(word, commandNames());
  return new UblkError(`no such command: ${word}`, {
    code: UNKNOWN_COMMAND,
    kind: 'usage',
    hint: meant === undefined ? 'ublkts help lists the commands' : `did you mean ${meant.replaceAll(':', ' ')}?`,
  });
}
