/**
 * From words to a command. oclif's own `run` joins words into command ids greedily (`ublkts features x` becomes an
 * unknown command `features:x`), so the command is found here and oclif is asked to run it by its id.
 */
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core/config';
import { UblkError, usageError } from '../errors.ts';
import { wants, wantsShort } from './argv.ts';
import { UNKNOWN_COMMAND } from './exit-codes.ts';
import { closest } from './suggest.ts';

const PACKAGE_ROOT = fileURLToPath(new URL('../../', import.meta.url));

export async function dispatch(argv: readonly string[]): Promise<void> {
  const config = await Config.load({ root: PACKAGE_ROOT });
  const [first] = argv;
  if (first === undefined) {
    await showHelp(config, []);
    throw usageError('a command is missing', 'ublkts help COMMAND says more');
  }
  if (first === '--version' || first === 'version') {
    process.stdout.write(`${config.userAgent}\n`);
    return;
  }
  const found = findCommand(config, argv);
  if (asksForHelp(argv)) {
    await showHelp(config, helpSubject(config, found, argv));
  } else if (found !== undefined) {
    await config.runCommand(found.id, found.rest, config.findCommand(found.id));
  } else if (config.findTopic(first) !== undefined) {
    await showHelp(config, [first]);
  } else {
    throw unknownCommand(config, first);
  }
}

interface Found {
  readonly id: string;
  readonly rest: string[];
}

/** The longest leading run of words that names a command: `lab run` before `lab`. */
function findCommand(config: Config, argv: readonly string[]): Found | undefined {
  const flagAt = argv.findIndex((word) => word.startsWith('-'));
  const words = flagAt === -1 ? argv : argv.slice(0, flagAt);
  for (let length = Math.min(words.length, 3); length > 0; length--) {
    const id = words.slice(0, length).join(':');
    if (config.findCommand(id) !== undefined) return { id, rest: argv.slice(length) };
  }
  return undefined;
}

function asksForHelp(argv: readonly string[]): boolean {
  return argv[0] === 'help' || wants('help', argv) || wantsShort('h', argv);
}

function helpSubject(config: Config, found: Found | undefined, argv: readonly string[]): string[] {
  const words = argv.filter((word) => word !== 'help' && !word.startsWith('-'));
  const subject = found ?? findCommand(config, words);
  if (subject !== undefined) return [subject.id];
  const [topic] = words;
  if (topic === undefined) return [];
  if (config.findTopic(topic) === undefined) throw unknownCommand(config, topic);
  return [topic];
}

async function showHelp(config: Config, subject: string[]): Promise<void> {
  const { showHelpOf } = await import('./help.ts');
  await showHelpOf(config, subject);
}

function unknownCommand(config: Config, word: string): UblkError {
  if (word.startsWith('-')) return usageError(`no such flag: ${word}`, 'ublkts help lists the commands');
  const meant = closest(word, [...config.commandIDs, ...config.commands.flatMap(({ aliases }) => aliases)]);
  return new UblkError(`no such command: ${word}`, {
    code: UNKNOWN_COMMAND,
    kind: 'usage',
    hint: meant === undefined ? 'ublkts help lists the commands' : `did you mean ${meant.replaceAll(':', ' ')}?`,
  });
}
