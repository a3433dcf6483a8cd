import { BaseCommand } from '../cli/base-command.ts';
import { featureFlags } from '../cli/flags/features.ts';
import { setParamsFlags, setParamsRequest } from '../cli/flags/set-params.ts';

export default class SetParams extends BaseCommand {
  static override summary = 'Test whether the driver accepts the parameters of a device.';
  static override description =
    'Adds a device, sets the parameters and deletes the device again, without starting it. Prints the answer of the driver, 0 or -errno, and fails when it is negative. The selftests of the kernel use it.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --logical_bs_shift 12 --physical_bs_shift 12',
    '<%= config.bin %> <%= command.id %> -u --zoned --param_types basic,zoned',
  ];
  static override aliases = ['set-params'];
  static override flags = { ...featureFlags, ...setParamsFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(SetParams);
    const { trySetParams } = await import('../device/change/set-params.ts');
    const result = await trySetParams(setParamsRequest(flags));
    this.print({ json: { result }, kublk: () => `SET_PARAMS returned ${result}\n` });
    if (result < 0) process.exitCode = 1;
  }
}
