import { BaseCommand } from '../cli/base-command.ts';
import { deviceArg, numberFlag, requireDevice } from '../cli/flags/device.ts';
import { onOff } from '../cli/flags/values.ts';
import { withProgress } from '../cli/running/progress.ts';

export default class Stop extends BaseCommand {
  static override summary = 'Stop a device. /dev/ublkbN is removed, and the id stays taken until `del`.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 0',
    '<%= config.bin %> <%= command.id %> -n 0 --safe',
  ];
  static override args = { device: deviceArg };
  static override flags = {
    number: numberFlag,
    safe: onOff({ summary: 'Stop it only if nobody has it open (Linux 7.0).', helpGroup: 'DEVICE' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Stop);
    const id = requireDevice(flags.number, args.device);
    const { stopDevice } = await import('../device/stop.ts');
    await withProgress(this.chatty, 'waiting for the queues to drain', stopDevice(id, { safe: flags.safe }));
    this.print({ json: { stopped: id }, kublk: () => '', table: () => `device ${id} is stopped\n` });
  }
}
