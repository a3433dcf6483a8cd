import { BaseCommand } from '../cli/base-command.ts';
import { deviceArgs, namedDevices, numberFlag } from '../cli/flags/device.ts';
import { onOff } from '../cli/flags/values.ts';
import { type Outcome, oneByOne } from '../cli/failures/outcome.ts';
import { withProgress } from '../cli/running/progress.ts';
import { usageError } from '../errors.ts';

export default class Del extends BaseCommand {
  static override summary = 'Stop and delete devices.';
  static override description =
    'Waits until the server has left and the last user has closed the device. With -a and no device named, deletes every ublk device, whoever made it.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 0',
    '<%= config.bin %> <%= command.id %> ublkb0 ublkb1',
    '<%= config.bin %> <%= command.id %> -a',
  ];
  static override aliases = ['rm'];
  static override args = { devices: deviceArgs };
  static override flags = {
    number: numberFlag,
    all: onOff({ char: 'a', summary: 'Every device.', helpGroup: 'DEVICE' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Del);
    const ids = namedDevices(flags.number, args.devices);
    if (ids.length === 0 && !flags.all) throw usageError('which device?', 'name it with -n, or all of them with -a');
    const outcome = await withProgress(this.chatty, 'waiting for the last user of the device', remove(ids));
    this.printOutcome(outcome, {
      json: { deleted: outcome.done },
      kublk: () => '',
      table: () => outcome.done.map((id) => `device ${id} is deleted\n`).join(''),
    });
  }
}

async function remove(ids: readonly number[]): Promise<Outcome> {
  const { deleteAllDevices, deleteDevice } = await import('../device/delete.ts');
  if (ids.length > 0) return oneByOne(ids, deleteDevice);
  const { deleted, failed } = await deleteAllDevices();
  return { done: deleted, failed };
}
