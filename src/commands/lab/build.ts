import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.ts';
import { buildImage } from '../../lab/image.ts';
import { interruptible } from '../../cli/running/interruption.ts';
import { progressPrinter } from '../../cli/running/progress.ts';

export default class LabBuild extends BaseCommand {
  static override summary = 'Build the image of the lab, a throwaway virtual machine whose kernel has ublk.';
  static override description =
    'The kernel and the packages come from Debian, through the mirror that this machine uses. The image is kept in the cache directory (XDG_CACHE_HOME), and is built again only when its recipe has changed.';
  static override examples = ['<%= config.bin %> lab build', '<%= config.bin %> lab build --refresh'];
  static override flags = {
    refresh: Flags.boolean({
      summary: 'Look for a newer kernel at Debian, and build an image with it if there is one.',
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(LabBuild);
    const progress = progressPrinter(process.stderr);
    const image = await interruptible((signal) =>
      buildImage({ refresh: flags.refresh, signal, ...(this.json ? {} : { onProgress: progress.onProgress }) }),
    ).finally(progress.clear);
    this.print({
      json: { kernel: image.kernelRelease, directory: image.directory },
      kublk: () => `lab image with Linux ${image.kernelRelease} in ${image.directory}\n`,
    });
  }
}
