import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.ts';
import { deviceArg, numberFlag } from '../cli/flags/device.ts';
import { seconds } from '../cli/flags/seconds.ts';
import { wholeNumber } from '../cli/flags/values.ts';
import { usageError } from '../errors.ts';

export default class Monitor extends BaseCommand {
  static override summary = 'Watch the devices live: queues, data paths, buffers, latency.';
  static override description =
    'On a terminal a full-screen view (? shows its keys), otherwise a line of JSON an interval. It reads what servers and kernel count anyway: being watched costs a device nothing.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> -n 0 --interval 0.5',
    "<%= config.bin %> <%= command.id %> --once | jq '.devices[] | {path, matched: .interval.ways.matched.share}'",
  ];
  static override aliases = ['top'];
  static override args = { device: deviceArg };
  static override flags = {
    number: numberFlag,
    interval: seconds({ char: 'i', summary: 'Time between samples.', default: 1, helpGroup: 'SAMPLING' }),
    count: wholeNumber({ char: 'c', summary: 'Lines of JSON to print; then it ends.', helpGroup: 'SAMPLING' }),
    once: Flags.boolean({ summary: 'As --count 1.', exclusive: ['count'], helpGroup: 'SAMPLING' }),
    'read-only': Flags.boolean({
      summary: 'No key deletes, recovers, registers or unregisters.',
      helpGroup: 'DISPLAY',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Monitor);
    const device = flags.number ?? args.device;
    if (flags.number !== undefined && args.device !== undefined && flags.number !== args.device) {
      throw usageError(`device ${flags.number} or device ${args.device}?`, 'name one device, or none for all of them');
    }
    const count = flags.once ? 1 : flags.count;
    if (count === 0) throw usageError('--count 0 would print nothing');
    const intervalMs = flags.interval * 1000;
    const { canShowMonitor, runMonitor } = await import('../monitor/run.ts');
    if (canShowMonitor() && !this.json && count === undefined) {
      await runMonitor({ device, intervalMs, readOnly: flags['read-only'] });
    } else {
      const { streamSamples } = await import('../watch/output/stream.ts');
      await streamSamples({ device, intervalMs, count, output: process.stdout });
    }
  }
}
