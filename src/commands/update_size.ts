import { BaseCommand } from '../cli/base-command.ts';
import { deviceArg, numberFlag, requireDevice } from '../cli/flags/device.ts';
import { sectorSize } from '../cli/flags/values.ts';
import { waitFor } from '../cli/running/waiting.ts';
import { formatSize } from '../sizes.ts';

export default class UpdateSize extends BaseCommand {
  static override summary = 'Change the size of a live device (Linux 6.16).';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 0 -s 1G',
    '<%= config.bin %> <%= command.id %> -n 0 -s 134217728000',
  ];
  static override aliases = ['update-size'];
  static override args = { device: deviceArg };
  static override flags = {
    number: numberFlag,
    size: sectorSize({
      char: 's',
      required: true,
      summary: 'The new size, a multiple of the logical block size.',
      helpGroup: 'DEVICE',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(UpdateSize);
    const id = requireDevice(flags.number, args.device);
    const { updateSize } = await import('../device/resize.ts');
    await waitFor(this.chatty, 'waiting for the device', (waiting) => updateSize(id, flags.size, waiting));
    this.print({
      json: { device: id, size_bytes: flags.size },
      kublk: () => '',
      table: () => `device ${id} has ${formatSize(flags.size)}\n`,
    });
  }
}
