import { BaseCommand } from '../cli/base-command.ts';
import { formatFlag } from '../cli/flags/format.ts';
import { deviceArg, numberFlag, requireDevice } from '../cli/flags/device.ts';
import { seconds } from '../cli/flags/seconds.ts';
import { onOff } from '../cli/flags/values.ts';
import { interruptible } from '../cli/running/interruption.ts';
import { benchViews } from '../cli/output/bench.ts';
import { progressPrinter } from '../cli/running/progress.ts';

export default class Bench extends BaseCommand {
  static override summary = 'Measure a device with fio: IOPS, bandwidth, latency, and which requests were copied.';
  static override description =
    'Does random direct I/O through io_uring, on a device of any ublk server. For devices of ublkts, MATCHED, REGISTERED and COPIED are the shares of requests by data path while a row was measured. fio uses memory of its own that is not a registered buffer, so none of its requests match.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 0',
    '<%= config.bin %> <%= command.id %> /dev/ublkb0 --write --seconds 10',
    "<%= config.bin %> <%= command.id %> -n 0 --json | jq '.rows[] | {row, iops}'",
  ];
  static override args = { device: deviceArg };
  static override flags = {
    number: numberFlag,
    write: onOff({ summary: 'Measure writes too. This destroys the data on the device.', helpGroup: 'MEASURING' }),
    seconds: seconds({ summary: 'The time that each row takes.', default: 5, helpGroup: 'MEASURING' }),
    format: formatFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Bench);
    const device = requireDevice(flags.number, args.device);
    const { benchDevice } = await import('../device/bench.ts');
    const progress = progressPrinter(process.stderr);
    const onRow = (name: string, at: number, of: number): void => {
      if (this.chatty) progress.onProgress(`${name} (${at} of ${of})`);
    };
    const report = await interruptible((signal) =>
      benchDevice({ device, seconds: flags.seconds, write: flags.write, signal, onRow }),
    ).finally(progress.clear);
    this.printWithNotes(benchViews(report), report.notes, flags.format);
  }
}
