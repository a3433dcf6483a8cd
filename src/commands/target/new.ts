import * as Args from '@oclif/core/args';
import { BaseCommand } from '../../cli/base-command.ts';
import { onOff } from '../../cli/flags/values.ts';

export default class TargetNew extends BaseCommand {
  static override summary = 'Write a target of your own to begin with: a commented file that works, with a test.';
  static override description =
    'Writes NAME.ts and its test, NAME.test.ts, into the current directory (with the ending .mts in a project of CommonJS) and says how to check it and how to make a device of it. A file that is there is not overwritten.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> disk',
    '<%= config.bin %> <%= command.id %> slow-disk --async',
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
    const { file, test } = writeNewTarget(args.name, flags.async);
    const path = file.includes('/') ? file : `./${file}`;
    const files = flags.async ? ' disk.img' : '';
    const lines = [
      `${file} and ${test}`,
      ...(flags.async ? ['  its disk:  truncate -s 1G disk.img'] : []),
      `  test it:   node --test ${test}`,
      `  check it:  ublkts target check ${path}${files} --lab`,
      `  run it:    ublkts add -t ${path}${files}`,
    ];
    this.print({ json: { file, test }, kublk: () => `${lines.join('\n')}\n` });
  }
}
