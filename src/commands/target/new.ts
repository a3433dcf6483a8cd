import * as Args from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.ts';
import { onOff } from '../../cli/flags/values.ts';

export default class TargetNew extends BaseCommand {
  static override summary = 'Write a target of your own to begin with: a commented file that works.';
  static override description =
    'Writes NAME.ts into the current directory and says how to check it and how to make a device of it. A file that is there is not overwritten.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> disk',
    '<%= config.bin %> <%= command.id %> disk --async',
  ];
  static override args = {
    name: Args.string({ description: 'The name of the file, without .ts.', required: true, ignoreStdin: true }),
  };
  static override flags = {
    async: onOff({ summary: 'Handlers that return promises, on a file.' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(TargetNew);
    const { writeNewTarget } = await import('../../targets/check/new-target.ts');
    const file = writeNewTarget(args.name, flags.async);
    const size = flags.async ? ' -o file=disk.img' : '';
    this.print({
      json: { file },
      kublk: () =>
        `${file}\n  check it:  ublkts target check ./${file}${size}\n  run it:    ublkts add -t ./${file}${size}\n`,
    });
  }
}
