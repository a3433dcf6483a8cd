import { resolve } from 'node:path';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.ts';
import { givenWithO, parseTargetOptions } from '../../cli/flags/target-options.ts';
import { onOff } from '../../cli/flags/values.ts';
import { targetChecksViews } from '../../cli/output/checks.ts';
import { interruptible } from '../../cli/running/interruption.ts';
import { progressPrinter } from '../../cli/running/progress.ts';
import { UblkError } from '../../errors.ts';
import type { CheckOptions, Finding } from '../../targets/check/check.ts';

export default class TargetCheck extends BaseCommand {
  static override summary = 'Check a target of your own: data, boundaries, buffers, durability, errors and speed.';
  static override description =
    'Calls the handlers of the target as a server would, one request after the other and many at once, and compares what they do with a model. That needs no kernel. It overwrites what the target stores, unless --read_only is given. With --lab it makes a real device of the target in a guest of the lab (see `lab run`): fio with checksums, ext4, a server that is killed and replaced. The guest has copies of the files, so nothing is overwritten here. Exits with 1 when something is wrong.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> ./ram.ts -o size=64M',
    '<%= config.bin %> <%= command.id %> ./ram.ts --lab -o size=64M',
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
    lab: onOff({ summary: 'Check a real device of the target, in a guest of the lab.' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(TargetCheck);
    const options = {
      files: (args.files ?? []).map((file) => resolve(file)),
      targetOptions: parseTargetOptions(flags.target_option ?? []),
      readOnly: flags.read_only,
    };
    const findings = await (flags.lab ? this.inLab(args.target, options) : here(args.target, options)).catch(
      (error: unknown) => {
        throw error instanceof UblkError ? givenWithO(error) : error;
      },
    );
    this.print(targetChecksViews(args.target, findings));
    if (findings.some(({ status }) => status === 'fail')) process.exitCode = 1;
  }

  private async inLab(target: string, options: CheckOptions): Promise<Finding[]> {
    const { checkInLab } = await import('../../targets/check/in-lab.ts');
    const progress = progressPrinter(process.stderr);
    const onProgress = this.json ? undefined : progress.onProgress;
    return interruptible((signal) => checkInLab(target, { ...options, signal, onProgress })).finally(progress.clear);
  }
}

async function here(target: string, options: CheckOptions): Promise<Finding[]> {
  const { checkOnThread } = await import('../../targets/check/thread.ts');
  return checkOnThread(target, options);
}
