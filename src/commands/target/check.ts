import { resolve } from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.ts';
import { parseTargetOptions } from '../../cli/flags/target-options.ts';
import { onOff } from '../../cli/flags/values.ts';
import { checksViews } from '../../cli/output/checks.ts';

export default class TargetCheck extends BaseCommand {
  static override summary = 'Check a target of your own without a kernel: data, boundaries, buffers, and speed.';
  static override description =
    'Calls the handlers of the target as a server would, one request after the other and many at once, and compares what they do with a model. It overwrites what the target stores, unless --read_only is given. Exits with 1 when something is wrong.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./ram.ts -o size=64M',
    '<%= config.bin %> <%= command.id %> ./http.ts --read_only -o url=http://localhost/disk.img',
  ];
  static override args = {
    target: Args.string({ description: 'The file or the package of the target.', required: true, ignoreStdin: true }),
    files: Args.string({ description: 'The backing files of the target.', multiple: true, ignoreStdin: true }),
  };
  static override flags = {
    target_option: Flags.string({
      char: 'o',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
      summary: 'Set an option of the target; may be repeated.',
    }),
    read_only: onOff({ summary: 'Only read, so that what the target stores stays.' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(TargetCheck);
    const { checkTarget } = await import('../../targets/check/check.ts');
    const findings = await checkTarget(args.target, {
      files: (args.files ?? []).map((file) => resolve(file)),
      targetOptions: parseTargetOptions(flags.target_option ?? []),
      readOnly: flags.read_only,
    });
    this.print(checksViews(findings));
    if (findings.some(({ status }) => status === 'fail')) process.exitCode = 1;
  }
}
