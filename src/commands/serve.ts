import { BaseCommand } from '../cli/base-command.ts';
import { cpuList, onOff, residentServer, wholeNumber } from '../cli/flags/values.ts';
import { serverViews } from '../cli/output/servers.ts';
import { untilServerEnds } from '../cli/running/foreground.ts';
import { waitFor } from '../cli/running/waiting.ts';
import type { StartedServer } from '../device/servers/serve.ts';
import { DEFAULT_SERVER } from '../spec/server-options.ts';

export default class Serve extends BaseCommand {
  static override summary = 'Start a resident server, which serves many devices.';
  static override description =
    'Returns when the server is ready. `add --server` gives it a device, in place of starting a process for that device. The device takes less memory then, and is ready sooner. When the server crashes, all of its devices lose their server. `del`, `recover`, `list` and all other commands work with these devices as with any other. When the server gets SIGTERM, it stops and deletes the devices that nobody uses, and ends if none is left.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --name fast --threads 2 --cpus 2-3',
    '<%= config.bin %> <%= command.id %> --foreground',
  ];
  static override flags = {
    name: residentServer({ summary: `The name of the server (default: ${DEFAULT_SERVER}).`, helpValue: 'NAME' }),
    threads: wholeNumber({
      summary: 'The most threads that its devices share (default 0: every device has threads of its own).',
    }),
    cpus: cpuList({ summary: 'CPUs that these threads may run on (default: all).' }),
    foreground: onOff({ summary: 'Stay in the foreground until the server has ended. Ctrl-C asks it to end.' }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Serve);
    const { name, threads, cpus } = flags;
    const options = { name, ...(threads !== undefined && { threads }), ...(cpus !== undefined && { cpus }) };
    const print = ({ notes, ...server }: StartedServer): void => this.printWithNotes(serverViews(server), notes);
    const { serveInForeground, startServer } = await import('../device/servers/serve.ts');
    if (flags.foreground) {
      await untilServerEnds((waiting) => serveInForeground(options, print, waiting));
    } else print(await waitFor(this.chatty, 'waiting for the server', (waiting) => startServer(options, waiting)));
  }
}
