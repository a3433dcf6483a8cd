import { BaseCommand } from '../cli/base-command.ts';
import { deviceArgs, namedDevices, numbersFlag } from '../cli/flags/device.ts';
import { onOff } from '../cli/flags/values.ts';
import { isEmpty, type Outcome, oneByOne } from '../cli/failures/outcome.ts';
import { waitFor } from '../cli/running/waiting.ts';
import type { WaitOptions } from '../control/waiting.ts';
import type { DeleteOptions } from '../device/remove/delete.ts';
import { usageError } from '../errors.ts';

export default class Del extends BaseCommand {
  static override summary = 'Stop and delete one or several devices.';
  static override description =
    'Waits until the server has ended and the last user has closed the device. Refuses, with exit code 6, while the device is mounted, used as swap or part of another block device. Programs that have it open get I/O errors. If one of them keeps it open for two seconds, it is named, the command exits with 6, and the device disappears as soon as that program closes it. With -a and without a device, deletes every ublk device, including those of other programs. A device that lies on another one is deleted before that one.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 0',
    '<%= config.bin %> <%= command.id %> ublkb0 ublkb1',
    '<%= config.bin %> <%= command.id %> -a',
  ];
  static override aliases = ['rm'];
  static override args = { devices: deviceArgs };
  static override flags = {
    number: numbersFlag,
    all: onOff({ char: 'a', summary: 'Delete every device.', helpGroup: 'DEVICE' }),
    force: onOff({
      summary: 'Go on even if a mount, swap or a device made of it would lose data.',
      helpGroup: 'DEVICE',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Del);
    const ids = namedDevices(flags.number, args.devices);
    if (ids.length === 0 && !flags.all)
      throw usageError('no device is named', 'name it with -n, or every device with -a');
    const work = (waiting: WaitOptions): Promise<Outcome> => remove(ids, { force: flags.force, ...waiting });
    const outcome = await waitFor(this.chatty, 'waiting for the last user of the device', work);
    this.printOutcome(outcome, {
      json: { deleted: outcome.done },
      kublk: () => '',
      table: () => (isEmpty(outcome) ? 'no ublk devices\n' : outcome.done.map(deleted).join('')),
    });
  }
}

function deleted(id: number): string {
  return `device ${id} is deleted\n`;
}

async function remove(ids: readonly number[], options: DeleteOptions): Promise<Outcome> {
  const { deleteAllDevices, deleteDevice } = await import('../device/remove/delete.ts');
  // They are deleted in the order in which they are named, because one may lie on another that is named later.
  if (ids.length > 0) return oneByOne(ids, (id) => deleteDevice(id, options));
  const { deleted, failed } = await deleteAllDevices(options);
  return { done: deleted, failed };
}
