import { BaseCommand } from '../cli/base-command.ts';
import { onOff } from '../cli/flags/values.ts';
import { checksViews } from '../cli/output/checks.ts';

/** The exit code for a machine that cannot run ublk devices. */
const EXIT_UNFIT = 3;

export default class Doctor extends BaseCommand {
  static override summary = 'Check whether this machine can run ublk devices, and say what is missing.';
  static override description =
    'Checks Node and its native libraries, the kernel, io_uring, the ublk driver and its features, hugepages, limits, and devices and files that crashed servers left behind. Exits with 3 when ublkts cannot work here.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --fix',
    '<%= config.bin %> <%= command.id %> --json | jq \'.checks[] | select(.status != "ok")\'',
  ];

  static override flags = {
    fix: onOff({ summary: 'Remove the files of devices that are gone.', helpGroup: 'CHECKING' }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Doctor);
    const { diagnose } = await import('../device/doctor.ts');
    const checks = await diagnose({ fix: flags.fix });
    this.print(checksViews(checks));
    if (checks.some(({ status }) => status === 'fail')) process.exitCode = EXIT_UNFIT;
  }
}
