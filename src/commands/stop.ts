import { BaseCommand } from '../cli/base-command.ts';
import { deviceArg, numberFlag, requireDevice } from '../cli/flags/device.ts';
import { onOff } from '../cli/flags/values.ts';
import type { WaitOptions } from '../control/waiting.ts';
import { nextLine } from '../cli/output/next.ts';
import { waitFor } from '../cli/running/waiting.ts';

export default class Stop extends BaseCommand {
  static override summary = 'Stop a device. /dev/ublkbN is removed, and the id stays taken until `del`.';
  static override description =
    'Exits with 6, and stops nothing, while the device is mounted, used as swap or part of another block device, unless --force is given. Otherwise the server ends, and the command waits until it has closed the target. A stopped device cannot be recovered: delete it and add it again.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 0',
    '<%= config.bin %> <%= command.id %> -n 0 --safe',
  ];
  static override args = { device: deviceArg };
  static override flags = {
    number: numberFlag,
    safe: onOff({ summary: 'Stop it only if nobody has it open (Linux 7.0).', helpGroup: 'DEVICE' }),
    force: onOff({
      summary: 'Go on even if a mount, swap or a device made of it would lose data.',
      helpGroup: 'DEVICE',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Stop);
    const id = requireDevice(flags.number, args.device);
    const { stopDevice } = await import('../device/remove/stop.ts');
    const { safe, force } = flags;
    const stop = (waiting: WaitOptions): Promise<void> => stopDevice(id, { safe, force, ...waiting });
    await waitFor(this.chatty, 'waiting for the device to stop', stop);
    this.print({
      json: { stopped: id },
      kublk: () => '',
      table: () => `device ${id} is stopped\n${nextLine(`ublkts del -n ${id}`)}`,
    });
  }
}
