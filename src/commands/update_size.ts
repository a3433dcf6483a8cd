import * as Args from '@oclif/core/args';
import { BaseCommand } from '../cli/base-command.ts';
import { parseDeviceOrNotSize } from '../cli/flags/device-id.ts';
import { numberFlag, requireDevice } from '../cli/flags/device.ts';
import { onOff, sectorSize } from '../cli/flags/values.ts';
import { waitFor } from '../cli/running/waiting.ts';
import { formatSize } from '../sizes.ts';

export default class UpdateSize extends BaseCommand {
  static override summary = 'Change the size of a live device (Linux 6.16).';
  static override description =
    'A device on files or disks grows no further than they have room; --grow makes files larger. A size that would cut off what is in use is refused.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 0 -s 1G',
    '<%= config.bin %> <%= command.id %> -n 0 -s 134217728000',
    '<%= config.bin %> <%= command.id %> -n 0 -s 2G --grow',
  ];
  static override aliases = ['update-size'];
  static override args = {
    device: Args.custom<number>({
      description: 'The device, as for -n.',
      ignoreStdin: true,
      parse: (text) => Promise.resolve(parseDeviceOrNotSize(text)),
    })(),
  };
  static override flags = {
    number: numberFlag,
    size: sectorSize({
      char: 's',
      required: true,
      summary: 'The new size, a multiple of the logical block size.',
      helpGroup: 'DEVICE',
    }),
    grow: onOff({ summary: 'Make backing files that are too small larger.', helpGroup: 'DEVICE' }),
    force: onOff({
      summary: 'Also cut off what a mounted file system, swap, a device on top or a partition uses.',
      helpGroup: 'DEVICE',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(UpdateSize);
    const id = requireDevice(flags.number, args.device);
    const { updateSize } = await import('../device/resize.ts');
    const { grow, force } = flags;
    await waitFor(this.chatty, 'waiting for the device', (waiting) =>
      updateSize(id, flags.size, { ...waiting, grow, force }),
    );
    this.print({
      json: { device: id, size_bytes: flags.size },
      kublk: () => '',
      table: () => `device ${id} has ${formatSize(flags.size)}\n`,
    });
  }
}
