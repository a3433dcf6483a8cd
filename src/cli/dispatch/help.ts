/** Help, as oclif renders it. The flags that every command has come after the command's own. */
import type { Command } from '@oclif/core/command';
import { Help } from '@oclif/core/help';
import { OPTIONAL_NAME, withOptionalName } from '../argv/normalise.ts';
import { loadOclifConfig } from './oclif-config.ts';

const GLOBAL = 'GLOBAL';

/** Shows help for one command, one topic, or the whole program. Answers false when there is no such command or topic. */
export async function showHelpOf(subject: string | undefined): Promise<boolean> {
  const config = await loadOclifConfig();
  const help = new WrappedHelp(config, {
    maxWidth: widthOfHelp(),
    flagSortOrder: 'none',
    hideAliasesFromRoot: true,
    hideCommandSummaryInDescription: true,
  });
  const command = config.commands.find(({ id }) => id === subject);
  if (command !== undefined) {
    const flags = Object.entries(command.flags).map(asWritten);
    const own = flags.filter(([, { helpGroup }]) => helpGroup !== GLOBAL);
    const shared = flags.filter(([, { helpGroup }]) => helpGroup === GLOBAL);
    await help.showCommandHelp({ ...command, flags: Object.fromEntries([...own, ...shared]) });
    return true;
  }
  if (subject !== undefined && config.findTopic(subject) === undefined) return false;
  await help.showHelp(subject === undefined ? [] : [subject]);
  return true;
}

/** oclif does not wrap the first line, which says in a sentence what the command does. */
class WrappedHelp extends Help {
  protected override log(...texts: string[]): void {
    const wrapped = (line: string) => (line.startsWith(' ') ? line : this.wrap(line));
    super.log(...texts.map((text) => text.split('\n').map(wrapped).join('\n')));
  }
}

const NARROWEST = 40;
const NO_TERMINAL = 80;

/** oclif makes some lines two columns longer than it is told. */
function widthOfHelp(): number {
  const { isTTY, columns } = process.stdout;
  return (isTTY && columns > 0 ? Math.max(NARROWEST, columns) : NO_TERMINAL) - 2;
}

type NamedFlag = [name: string, flag: Command.Flag.Cached];

/** oclif would put a space before a value that may be left out. */
function asWritten([name, flag]: NamedFlag): NamedFlag {
  if (flag.type !== 'option' || flag.helpValue !== OPTIONAL_NAME) return [name, flag];
  const written = withOptionalName(name);
  return [written, { ...flag, type: 'boolean', name: written, allowNo: false }];
}
