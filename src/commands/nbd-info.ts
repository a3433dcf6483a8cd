import * as Args from '@oclif/core/args';
import { BaseCommand } from '../cli/base-command.ts';
import { nbdInfoViews } from '../cli/output/nbd-info.ts';
import { waitFor } from '../cli/running/waiting.ts';

export default class NbdInfo extends BaseCommand {
  static override summary = 'Show the exports of an NBD server.';
  static override description =
    'Asks a server (nbdkit, qemu-nbd, nbd-server) for its exports, their sizes, block sizes and flags. A URI that names an export asks for that one. It needs neither ublk nor root.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> nbd://storage.example',
    "<%= config.bin %> <%= command.id %> 'nbd+unix:///disk?socket=/run/nbd.sock' --json",
  ];
  static override args = {
    uri: Args.string({
      description: 'nbd://HOST[:PORT][/EXPORT] or nbd+unix:///[EXPORT]?socket=PATH; nbds:// and nbds+unix:// with TLS.',
      required: true,
      ignoreStdin: true,
    }),
  };

  /** Other commands have an option for each of these. */
  protected override get unknownFlagHint(): string | undefined {
    const hasTls = this.argv.some((word) => /^--tls[-_]/.test(word));
    return hasTls ? "parameters of TLS stand in the URI: 'nbds://HOST/?tls-certificates=DIR'" : undefined;
  }

  override async run(): Promise<void> {
    const { args } = await this.parse(NbdInfo);
    const { nbdInfo } = await import('../device/nbd-info.ts');
    const exports = await waitFor(this.chatty, 'waiting for the server', () => nbdInfo(args.uri));
    this.print(nbdInfoViews(exports));
  }
}
