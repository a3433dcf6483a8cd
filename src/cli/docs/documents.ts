/** Generates every document that is made from the commands: its path in the project, and its text. */
import { loadOclifConfig } from '../dispatch/oclif-config.ts';
import { completionScript } from './completions.ts';
import { manPageOf } from './man.ts';
import { markdownOf } from './markdown.ts';
import { describeProgram } from './model.ts';

export async function documents(): Promise<Map<string, string>> {
  const config = await loadOclifConfig();
  const program = describeProgram(config);
  const { commands } = program;
  return new Map([
    ['docs/commands.md', markdownOf(commands)],
    ['docs/man/ublkts.1', manPageOf(commands, config.version)],
    ['docs/completions/ublkts.bash', completionScript('bash', program)],
    ['docs/completions/_ublkts', completionScript('zsh', program)],
    ['docs/completions/ublkts.fish', completionScript('fish', program)],
  ]);
}
