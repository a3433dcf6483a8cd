import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.ts';
import { formatFlag } from '../cli/flags/format.ts';
import { parseDeviceId } from '../cli/flags/device-id.ts';
import { type CreateFlags, namedOptions } from '../cli/flags/add-request.ts';
import { isEmpty } from '../cli/failures/outcome.ts';
import { createFlags } from '../cli/flags/create.ts';
import { onOff } from '../cli/flags/values.ts';
import { numberFlag, requireDevice } from '../cli/flags/device.ts';
import { stayInForeground } from '../cli/running/foreground.ts';
import { importOfDevice, importOfOrphans, recordedTarget } from '../cli/running/target-code.ts';
import { newDeviceViews } from '../cli/output/devices.ts';
import { waitFor } from '../cli/running/waiting.ts';
import type { WaitOptions } from '../control/waiting.ts';
import type { StartedDevice } from '../device/report/report.ts';
import { usageError } from '../errors.ts';
import type { AddOptions } from '../spec/options.ts';

export default class Recover extends BaseCommand {
  static override summary = 'Start a new server for a device whose server is gone.';
  static override description =
    'The device must have been made with -i 1 (clients see no error), -r 1 (the requests under way fail) or -e 1 (all requests fail until then). ublkts keeps a record of how the device was made, and a flag given here replaces what the record says. A flag that is omitted keeps what the record says, whatever default is named for it here. The data path, the features, the queues and their depth cannot be changed any more; a note says so if others are asked for. For a device of another program there is no record, so its target and files have to be given, and the defaults of `add` apply.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 0',
    '<%= config.bin %> <%= command.id %> -a',
    '<%= config.bin %> <%= command.id %> ublkb0',
    '<%= config.bin %> <%= command.id %> -n 0 -t loop -i 1 disk.img',
  ];
  static override args = {
    files: Args.string({
      description: 'The backing files of the target. Without -n, the first word is the device.',
      multiple: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    type: Flags.string({
      char: 't',
      helpValue: 'TARGET',
      summary: 'The target, if it is not in the record.',
      helpGroup: 'DEVICE',
    }),
    number: numberFlag,
    all: onOff({
      char: 'a',
      summary:
        'Recover every device that has lost its server. A device of a resident server gets a server of the same name, which is started if there is none.',
      helpGroup: 'DEVICE',
    }),
    ...createFlags,
    format: formatFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Recover);
    if (flags.all) return this.#recoverAll(flags, args.files ?? []);
    const { id, files } = separate(flags.number, args.files ?? []);
    const target = flags.type ?? recordedTarget(id);
    const overrides = namedOptions({ ...flags, number: undefined }, files, this.argv, target);
    await importOfDevice(target);
    const print = ({ notes, ...device }: StartedDevice): void =>
      this.printWithNotes(newDeviceViews(device), flags.quiet ? [] : notes, flags.format);
    if (flags.foreground) {
      const { recoverForeground } = await import('../device/add/foreground.ts');
      const wantsText = this.json || flags.format !== undefined;
      const serve = (onReady: (device: StartedDevice) => void, waiting: WaitOptions) =>
        recoverForeground(id, overrides, onReady, waiting);
      await stayInForeground({ serve, print, wantsText });
    } else {
      const { recoverDevice } = await import('../device/recover/recover.ts');
      print(await waitFor(this.chatty, 'waiting for the server', (waiting) => recoverDevice(id, overrides, waiting)));
    }
  }

  async #recoverAll(flags: CreateFlags & { readonly quiet: boolean }, files: readonly string[]): Promise<void> {
    const overrides = optionsForAll(flags, files);
    await importOfOrphans();
    const { recoverAllDevices } = await import('../device/recover/recover-all.ts');
    const work = (waiting: WaitOptions) => recoverAllDevices(overrides, waiting);
    const { recovered, failed } = await waitFor(this.chatty, 'waiting for the servers', work);
    const outcome = { done: recovered, failed };
    const lines = recovered.map((id) => `device ${id} is recovered\n`);
    this.printOutcome(outcome, {
      json: { recovered },
      kublk: () => '',
      table: () => (isEmpty(outcome) ? 'no device waits for a new server\n' : lines.join('')),
    });
  }
}

/** Options are for all devices, and no device and no file may be named. */
function optionsForAll(flags: CreateFlags, files: readonly string[]): Partial<AddOptions> {
  if (flags.number !== undefined || files.length > 0) {
    throw usageError('-a recovers every device, and one is named too', 'name the device, or give -a alone');
  }
  return namedOptions(flags, []);
}

/** kublk always requires `-n`, so without it the first word can be the device. */
function separate(number: number | undefined, words: readonly string[]): { id: number; files: readonly string[] } {
  const [first, ...rest] = words;
  if (number !== undefined || first === undefined) return { id: requireDevice(number, undefined), files: words };
  return { id: parseDeviceId(first), files: rest };
}
