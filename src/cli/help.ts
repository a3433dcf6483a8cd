/** oclif's help, with what every command has put after what is its own. */
import type { Config } from '@oclif/core/config';
import { Help } from '@oclif/core/help';

const GLOBAL = 'GLOBAL';

export async function showHelpOf(config: Config, [subject]: readonly string[]): Promise<void> {
  const help = new Help(config, {
    flagSortOrder: 'none',
    hideAliasesFromRoot: true,
    hideCommandSummaryInDescription: true,
  });
  const command = config.commands.find(({ id, aliases }) => id === subject || aliases.includes(subject ?? ''));
  if (command === undefined) {
    await help.showHelp(subject === undefined ? [] : [subject]);
  } else {
    const flags = Object.entries(command.flags);
    const own = flags.filter(([, { helpGroup }]) => helpGroup !== GLOBAL);
    const shared = flags.filter(([, { helpGroup }]) => helpGroup === GLOBAL);
    await help.showCommandHelp({ ...command, flags: Object.fromEntries([...own, ...shared]) });
  }
}
