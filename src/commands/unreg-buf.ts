import * as Args from '@oclif/core/args';
import { BaseCommand } from '../cli/base-command.ts';
import { numberFlag, requireDevice } from '../cli/flags/device.ts';
import { onOff, parseWholeNumber, wholeNumber } from '../cli/flags/values.ts';
import { usageError } from '../errors.ts';

export default class UnregBuf extends BaseCommand {
  static override summary = 'Take a shared buffer back from a live device; its requests are copied from then on.';
  static override description = 'Returns when no request uses the buffer any more. `list --json` shows the indices.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 0 -i 1',
    '<%= config.bin %> <%= command.id %> -n 0 --all',
  ];
  static override aliases = ['unreg_buf'];
  static override args = {
    index: Args.custom<number>({
      description: 'Index of the buffer, without a flag.',
      ignoreStdin: true,
      parse: (text) => Promise.resolve(parseWholeNumber(text)),
    })(),
  };
  static override flags = {
    number: numberFlag,
    index: wholeNumber({
      char: 'i',
      summary: 'Index of the buffer, as `list --json` shows it.',
      helpGroup: 'SHARED MEMORY',
    }),
    all: onOff({ char: 'a', summary: 'Every buffer of the device.', helpGroup: 'SHARED MEMORY' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(UnregBuf);
    const id = requireDevice(flags.number, undefined);
    if (args.index !== undefined && flags.index !== undefined) throw usageError('which buffer?', 'give one index');
    const indices = await unregister(id, args.index ?? flags.index, flags.all);
    this.print({
      json: { device: id, unregistered: indices },
      kublk: () => '',
      table: () => indices.map((index) => `buffer ${index} of device ${id} is unregistered\n`).join(''),
    });
  }
}

async function unregister(id: number, index: number | undefined, all: boolean): Promise<number[]> {
  if ((index === undefined) !== all) throw usageError('which buffer?', 'give its index with -i, or -a for all');
  const { unregisterAllBuffers, unregisterBuffer } = await import('../device/buffers.ts');
  if (index === undefined) return unregisterAllBuffers(id);
  await unregisterBuffer(id, index);
  return [index];
}
