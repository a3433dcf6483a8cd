import * as Args from '@oclif/core/args';
import { BaseCommand } from '../cli/base-command.ts';
import { SHELLS } from '../cli/docs/shells.ts';

export default class Completion extends BaseCommand {
  static override summary = 'Print the completion script for a shell.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> bash > /etc/bash_completion.d/ublkts',
    '<%= config.bin %> <%= command.id %> zsh > "${fpath[1]}/_ublkts"',
    '<%= config.bin %> <%= command.id %> fish > ~/.config/fish/completions/ublkts.fish',
  ];
  static override args = {
    shell: Args.option({ options: SHELLS })({
      description: 'The shell to complete in.',
      required: true,
      ignoreStdin: true,
    }),
  };

  override async run(): Promise<void> {
    const { args } = await this.parse(Completion);
    const { completionScript } = await import('../cli/docs/completions.ts');
    const { loadOclifConfig } = await import('../cli/dispatch/oclif-config.ts');
    const { describeProgram } = await import('../cli/docs/model.ts');
    const script = completionScript(args.shell, describeProgram(await loadOclifConfig()));
    this.print({ json: { shell: args.shell, script }, kublk: () => script });
  }
}
