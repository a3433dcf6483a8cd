import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.ts';
import { deviceArg, numberFlag } from '../cli/flags/device.ts';
import { seconds } from '../cli/flags/seconds.ts';
import { wholeNumber } from '../cli/flags/values.ts';
import { loadMonitor } from '../cli/running/monitor.ts';
import { requirePresent } from '../cli/running/present.ts';
import { usageError } from '../errors.ts';

/**
 * Tells a person who pipes the lines into something how the stream ends. It is not shown to scripts, whose stderr is no
 * terminal.
 */
const ENDLESS = 'one line of JSON per interval until Ctrl-C; --once or --count N ends it earlier\n';

export default class Monitor extends BaseCommand {
  static override summary = 'Watch the devices live: their queues, data paths, buffers and latency.';
  static override description =
    'On a terminal this is a full-screen view, and the key ? shows its keys. Elsewhere, on a terminal without a cursor (TERM=dumb), and with --json, it prints one line of JSON per interval until it is interrupted; --once and --count end it earlier, and print JSON on a terminal too. For a readable view that ends by itself, use `list --format table`. It reads counters that the servers and the kernel keep anyway, so watching a device does not slow it down.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> -n 0 --interval 0.5',
    "<%= config.bin %> <%= command.id %> --once | jq '.devices[] | {path, matched: .interval.ways.matched.share}'",
  ];
  static override aliases = ['top'];
  static override args = { device: deviceArg };
  static override flags = {
    number: numberFlag,
    interval: seconds({ char: 'i', summary: 'The time between two samples.', default: 1, helpGroup: 'SAMPLING' }),
    count: wholeNumber({ char: 'c', summary: 'Print this many lines of JSON, and end.', helpGroup: 'SAMPLING' }),
    once: Flags.boolean({
      summary: 'Print one line of JSON, and end. `list --format table` is the readable form.',
      exclusive: ['count'],
      helpGroup: 'SAMPLING',
    }),
    'read-only': Flags.boolean({
      summary: 'Disable the keys that delete, recover, register and unregister.',
      helpGroup: 'DISPLAY',
    }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Monitor);
    const device = flags.number ?? args.device;
    if (flags.number !== undefined && args.device !== undefined && flags.number !== args.device) {
      throw usageError(
        `two devices are named: ${flags.number} and ${args.device}`,
        'name one device, or none to watch all',
      );
    }
    const count = flags.once ? 1 : flags.count;
    if (count === 0) throw usageError('--count 0 prints nothing', 'use --count 1 or more');
    const intervalMs = flags.interval * 1000;
    const { canShowMonitor, runMonitor } = await loadMonitor();
    if (canShowMonitor() && !this.json && count === undefined) {
      await runMonitor({ device, intervalMs, readOnly: flags['read-only'] });
    } else {
      if (count === undefined && process.stderr.isTTY) process.stderr.write(ENDLESS);
      const { streamSamples } = await import('../watch/output/stream.ts');
      if (device !== undefined && count !== undefined) await requirePresent(device);
      await streamSamples({ device, intervalMs, count, output: process.stdout });
    }
  }
}
