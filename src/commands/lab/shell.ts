import { packagePath } from '../../package-root.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { guestFlags, parseEnvironment } from '../../cli/flags/guest.ts';
import { interruptible } from '../../cli/running/interruption.ts';
import { progressPrinter } from '../../cli/running/progress.ts';
import { guestShell } from '../../lab/shell.ts';

const GREETING =
  'This is a fresh guest, which is thrown away at `exit`; /tmp is a place for files. Try `ublkts add -t null && ublkts list`.\n';

export default class LabShell extends BaseCommand {
  static override summary = 'Open a shell in a fresh guest (a virtual machine) whose kernel has ublk.';
  static override description =
    "In the guest, this project's tree is /ublkts, and `ublkts` and `node` are in PATH. The guest is thrown away when the shell ends. Ctrl-] leaves a guest that hangs.";
  static override examples = ['<%= config.bin %> lab shell', '<%= config.bin %> lab shell --memory 4G --cpus 4'];
  static override flags = guestFlags;

  override async run(): Promise<void> {
    const { flags } = await this.parse(LabShell);
    const progress = progressPrinter(process.stderr);
    const { exitCode } = await interruptible((signal) =>
      guestShell({
        environment: parseEnvironment(flags.env),
        projectRoot: packagePath(),
        memory: flags.memory,
        cpus: flags.cpus,
        onProgress: progress.onProgress,
        onStart: () => {
          progress.clear();
          process.stderr.write(GREETING);
        },
        signal,
      }),
    ).finally(progress.clear);
    process.exitCode = exitCode;
  }
}
