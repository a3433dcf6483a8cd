import { once } from 'node:events';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.ts';
import { numberFlag } from '../cli/flags/device.ts';
import { printNotes } from '../cli/output/notes.ts';
import { requirePresent } from '../cli/running/present.ts';

export default class Metrics extends BaseCommand {
  static override summary = 'Print the counters of all devices for Prometheus, or serve them over HTTP.';
  static override description =
    'Prints the counters once. With --listen, serves them at /metrics until it is interrupted. docs/monitor.md lists them.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    'cd /var/lib/node_exporter/textfile && <%= config.bin %> <%= command.id %> > ublk.new && mv ublk.new ublk.prom',
    '<%= config.bin %> <%= command.id %> --listen 127.0.0.1:9432',
  ];
  static override flags = {
    number: numberFlag,
    listen: Flags.string({
      summary: 'Serve the counters at this address. A port alone means 127.0.0.1.',
      helpValue: 'HOST:PORT',
    }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Metrics);
    const { parseAddress, serveMetrics, takeMetrics } = await import('../watch/output/metrics.ts');
    if (flags.listen === undefined) {
      const { exposition } = await import('../watch/output/exposition.ts');
      if (flags.number !== undefined) await requirePresent(flags.number);
      const { families, notice } = await takeMetrics(flags.number);
      this.print({ json: { metrics: families, notice }, kublk: () => exposition(families) });
      this.#tell(notice);
      return;
    }
    const server = await serveMetrics(parseAddress(flags.listen), flags.number);
    process.stderr.write(`serving ${server.url}\n`);
    this.#tell(server.notice);
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    await server.close();
  }

  /** Says on stderr why figures are missing. */
  #tell(notice: string | null): void {
    if (notice !== null && !this.json) printNotes([notice]);
  }
}
