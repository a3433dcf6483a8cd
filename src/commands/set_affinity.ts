import { BaseCommand } from '../cli/base-command.ts';
import { deviceArg, numberFlag, requireDevice } from '../cli/flags/device.ts';
import { cpuList, wholeNumber } from '../cli/flags/values.ts';
import { affinityViews } from '../cli/output/affinity.ts';
import { usageError } from '../errors.ts';

export default class SetAffinity extends BaseCommand {
  static override summary = 'Move the threads that serve a device to other CPUs, while they serve.';
  static override description =
    'The next server of the device, after `recover`, has the CPUs of `add --cpus` again. A thread that a resident server shares between devices is not moved: `serve --cpus` says where those run.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 0 --cpus 2-3',
    '<%= config.bin %> <%= command.id %> -n 0 -q 1 --cpus 3',
  ];
  static override aliases = ['set-affinity'];
  static override args = { device: deviceArg };
  static override flags = {
    number: numberFlag,
    queue: wholeNumber({
      char: 'q',
      summary: 'Only the threads of this queue (default: of all).',
      helpGroup: 'DEVICE',
    }),
    cpus: cpuList({ summary: 'The CPUs that the threads may run on.', helpGroup: 'DEVICE' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(SetAffinity);
    const id = requireDevice(flags.number, args.device);
    const { queue, cpus } = flags;
    if (cpus === undefined)
      throw usageError('no CPUs are named', `give a list, for example ublkts set_affinity -n ${id} --cpus 0-1`);
    const { setAffinity } = await import('../device/change/affinity.ts');
    const { queues, notes } = await setAffinity(id, { cpus, queue });
    this.printWithNotes(affinityViews(id, queues), notes);
  }
}
