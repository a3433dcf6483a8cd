import { BaseCommand } from '../cli/base-command.ts';
import { formatFlag } from '../cli/flags/format.ts';
import { featuresViews } from '../cli/output/features.ts';

export default class Features extends BaseCommand {
  static override summary = "Show the features that this kernel's ublk driver has.";
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> | grep -q SHMEM_ZC',
    '<%= config.bin %> <%= command.id %> --json | jq .names',
  ];
  static override flags = { format: formatFlag };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Features);
    const { getFeatures } = await import('../device/features.ts');
    this.print(featuresViews(await getFeatures()), flags.format);
  }
}
