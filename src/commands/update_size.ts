import * as Args from '@oclif/core/args';
import { BaseCommand } from '../cli/base-command.ts';
import { parseDeviceOrNotSize } from '../cli/flags/device-id.ts';
import { numberFlag, requireDevice } from '../cli/flags/device.ts';
import { onOff, sectorSize } from '../cli/flags/values.ts';
import { importOfDevice, recordedTarget } from '../cli/running/target-code.ts';
import { waitFor } from '../cli/running/waiting.ts';
import { usageError } from '../errors.ts';
import { formatSize, parseSize } from '../sizes.ts';

export default class UpdateSize extends BaseCommand {
  static override summary = 'Change the size of a live device (Linux 6.16).';
  static override description =
    'A device on files or disks grows no further than they have room; --grow makes files larger. A size that would cut off what is in use is refused.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 0 -s 1G',
    '<%= config.bin %> <%= command.id %> ublkb0 1.5G',
    '<%= config.bin %> <%= command.id %> -n 0 -s 2G --grow',
  ];
  static override aliases = ['update-size'];
  static override args = {
    device: Args.string({ description: 'The device, as for -n.', ignoreStdin: true }),
    size: Args.string({ description: 'The size, as for -s. With -n, a single word is the size.', ignoreStdin: true }),
  };
  static override flags = {
    number: numberFlag,
    size: sectorSize({
      char: 's',
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
    const words = [args.device, args.size].filter((word) => word !== undefined);
    const { id, bytes } = deviceAndSize(flags.number, flags.size, words);
    await importOfDevice(recordedTarget(id));
    const { updateSize } = await import('../device/change/resize.ts');
    const { grow, force } = flags;
    await waitFor(this.chatty, 'waiting for the device', (waiting) =>
      updateSize(id, bytes, { ...waiting, grow, force }),
    );
    this.print({
      json: { device: id, size_bytes: bytes },
      kublk: () => '',
      table: () => `device ${id} has ${formatSize(bytes)}\n`,
    });
  }
}

/** Without flags, the words are the device and then the size. A flag takes the place of its word. */
function deviceAndSize(
  number: number | undefined,
  size: number | undefined,
  words: readonly string[],
): { readonly id: number; readonly bytes: number } {
  if (size !== undefined) requireNoSize(number, words);
  const hasSizeWord = size === undefined && (words.length === 2 || number !== undefined);
  const [device] = hasSizeWord ? words.slice(0, -1) : words;
  const id = requireDevice(number, device === undefined ? undefined : parseDeviceOrNotSize(device));
  const word = hasSizeWord ? words.at(-1) : undefined;
  const bytes = size ?? (word === undefined ? undefined : parseSize(word, { multipleOf: 512 }));
  if (bytes === undefined)
    throw usageError('no size is named', `give it with -s, for example ublkts update_size -n ${id} -s 1G`);
  return { id, bytes };
}

/** Throws for a word that is a second size. Beside -s, one word may name the device, also when -n names it. */
function requireNoSize(number: number | undefined, [first, second]: readonly string[]): void {
  const isSize = number !== undefined && first !== undefined && /^\d[\d.]*[kmgtpe]/i.test(first);
  const word = second ?? (isSize ? first : undefined);
  if (word === undefined) return;
  throw usageError(`two sizes are named: with -s, and the word ${JSON.stringify(word)}`, 'name one size');
}
