import { BaseCommand } from '../cli/base-command.ts';
import { deviceArg, numberFlag, requireDevice } from '../cli/flags/device.ts';
import { wholeNumber } from '../cli/flags/values.ts';
import type { WaitOptions } from '../control/waiting.ts';
import { nextLine } from '../cli/output/next.ts';
import { waitFor } from '../cli/running/waiting.ts';

/** kublk's default. */
const DEFAULT_TIMEOUT_MS = 10_000;

export default class Quiesce extends BaseCommand {
  static override summary = 'End the server of a live device, so that `recover` can start a new one.';
  static override description =
    'The device stays, and its requests wait for the new server. The device must have been made with -r 1, -e 1 or -i 1 (Linux 6.16).';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 0 && <%= config.bin %> recover -n 0',
    '<%= config.bin %> <%= command.id %> -n 0 --timeout_ms 60000',
  ];
  static override args = { device: deviceArg };
  static override flags = {
    number: numberFlag,
    timeout_ms: wholeNumber({
      summary: `The longest time in milliseconds to wait for requests that the server has (default ${DEFAULT_TIMEOUT_MS}; 0 means without a limit).`,
      helpGroup: 'DEVICE',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Quiesce);
    const id = requireDevice(flags.number, args.device);
    const { quiesceDevice } = await import('../device/change/quiesce.ts');
    const timeoutMs = flags.timeout_ms ?? DEFAULT_TIMEOUT_MS;
    const bound = { timeoutMs: timeoutMs === 0 ? Infinity : timeoutMs };
    const quiesce = (waiting: WaitOptions): Promise<void> => quiesceDevice(id, { ...bound, ...waiting });
    await waitFor(this.chatty, 'waiting for requests in flight', quiesce);
    this.print({
      json: { quiesced: id },
      kublk: () => '',
      table: () => `device ${id} is quiesced\n${nextLine(`ublkts recover -n ${id}`)}`,
    });
  }
}
