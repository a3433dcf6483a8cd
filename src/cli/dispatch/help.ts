/** Help, as oclif renders it. The flags that every command has come after the command's own. */
import type { Command } from '@oclif/core/command';
import { Help } from '@oclif/core/help';
import { OPTIONAL_NAME, withOptionalName } from '../argv/normalise.ts';
import { loadOclifConfig } from './oclif-config.ts';

const GLOBAL = 'GLOBAL';

/** Shows help for one command, one topic, or the whole program. Answers false when there is no such command or topic. */
export async function showHelpOf(subject: string | undefined): Promise<boolean> {
  const config = await loadOclifConfig();
  const help = new Help(config, {
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

type NamedFlag = [name: string, flag: Command.Flag.Cached];

/** oclif would put a space before a value that may be left out. */
function asWritten([name, flag]: NamedFlag): NamedFlag {
  if (flag.type !== 'option' || flag.helpValue !== OPTIONAL_NAME) return [name, flag];
  const written = withOptionalName(name);
  return [written, { ...flag, type: 'boolean', name: written, allowNo: false }];
}
