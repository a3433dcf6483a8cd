/** oclif's help, with what every command has put after what is its own. */
import { Help } from '@oclif/core/help';
import { loadManifest } from './load-config.ts';

const GLOBAL = 'GLOBAL';

/** Of a command, of a topic, or of all; false when there is no such thing. */
export async function showHelpOf(subject: string | undefined): Promise<boolean> {
  const config = await loadManifest();
  const help = new Help(config, {
    flagSortOrder: 'none',
    hideAliasesFromRoot: true,
    hideCommandSummaryInDescription: true,
  });
  const command = config.commands.find(({ id }) => id === subject);
  if (command !== undefined) {
    const flags = Object.entries(command.flags);
    const own = flags.filter(([, { helpGroup }]) => helpGroup !== GLOBAL);
    const shared = flags.filter(([, { helpGroup }]) => helpGroup === GLOBAL);
    await help.showCommandHelp({ ...command, flags: Object.fromEntries([...own, ...shared]) });
    return true;
  }
  if (subject !== undefined && config.findTopic(subject) === undefined) return false;
  await help.showHelp(subject === undefined ? [] : [subject]);
  return true;
}
