import { BaseCommand } from '../cli/base-command.ts';
import { checksViews } from '../cli/output/checks.ts';

/** This kernel or machine cannot. */
const EXIT_UNFIT = 3;

export default class Doctor extends BaseCommand {
  static override summary = 'Look for what stands between you and a working device.';
  static override description =
    'Node and its native libraries, the kernel, io_uring, the ublk driver and its features, devices and files that crashed servers left behind, hugepages, limits. Fails when something makes ublkts useless here.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json | jq \'.checks[] | select(.status != "ok")\'',
  ];

  override async run(): Promise<void> {
    await this.parse(Doctor);
    const { diagnose } = await import('../device/doctor.ts');
    const checks = await diagnose();
    this.print(checksViews(checks));
    if (checks.some(({ status }) => status === 'fail')) process.exitCode = EXIT_UNFIT;
  }
}
