import * as Args from '@oclif/core/args';
import { BaseCommand } from '../cli/base-command.ts';
import { numberFlag, requireDevice } from '../cli/flags/device.ts';
import { onOff, parseWholeNumber, wholeNumber } from '../cli/flags/values.ts';
import { waitFor } from '../cli/running/waiting.ts';
import type { WaitOptions } from '../control/waiting.ts';
import { usageError } from '../errors.ts';

export default class UnregBuf extends BaseCommand {
  static override summary = 'Unregister a shared buffer of a live device. Requests in it are copied from then on.';
  static override description =
    'Returns when no request uses the buffer any more. `list --json` shows the index of each buffer.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 0 -i 1',
    '<%= config.bin %> <%= command.id %> -n 0 --all',
  ];
  static override aliases = ['unreg_buf'];
  static override args = {
    index: Args.custom<number>({
      description: 'The index of the buffer, without a flag.',
      ignoreStdin: true,
      parse: (text) => Promise.resolve(parseIndex(text)),
    })(),
  };
  static override flags = {
    number: numberFlag,
    index: wholeNumber({
      char: 'i',
      parse: (text) => Promise.resolve(parseIndex(text)),
      summary: 'The index of the buffer, as `list --json` shows it.',
      helpGroup: 'SHARED MEMORY',
    }),
    all: onOff({ char: 'a', summary: 'Unregister every buffer of the device.', helpGroup: 'SHARED MEMORY' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(UnregBuf);
    const id = requireDevice(flags.number, undefined);
    if (args.index !== undefined && flags.index !== undefined)
      throw usageError('two buffers are named', 'give one index');
    const work = (waiting: WaitOptions) => unregister(id, args.index ?? flags.index, flags.all, waiting);
    const indices = await waitFor(this.chatty, 'waiting for requests that use the buffer', work);
    this.print({
      json: { device: id, unregistered: indices },
      kublk: () => '',
      table: () => indices.map((index) => `buffer ${index} of device ${id} is unregistered\n`).join(''),
    });
  }
}

/** The path of a buffer, which `reg-buf` was given, is likely here. */
function parseIndex(text: string): number {
  try {
    return parseWholeNumber(text);
  } catch {
    throw usageError(
      `${JSON.stringify(text)} is not the index of a buffer`,
      '`ublkts list --json` shows it beside the source of each buffer',
    );
  }
}

async function unregister(
  id: number,
  index: number | undefined,
  all: boolean,
  waiting: WaitOptions,
): Promise<number[]> {
  if (index === undefined && !all) throw usageError('no buffer is named', 'give its index with -i, or -a for all');
  if (index !== undefined && all) throw usageError('an index and --all are both given', 'give one of them');
  const { unregisterAllBuffers, unregisterBuffer } = await import('../device/buffers.ts');
  if (index === undefined) return unregisterAllBuffers(id, waiting);
  await unregisterBuffer(id, index, waiting);
  return [index];
}
