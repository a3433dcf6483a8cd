import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../cli/base-command.ts';
import { formatFlag } from '../cli/flags/format.ts';
import { addRequest } from '../cli/flags/add-request.ts';
import { createFlags } from '../cli/flags/create.ts';
import { CONFIGURATION_FILE, serverOf } from '../cli/configuration.ts';
import { newDeviceId, residentServer } from '../cli/flags/values.ts';
import { stayInForeground } from '../cli/running/foreground.ts';
import { importWithoutHandlers } from '../cli/running/target-code.ts';
import { newDeviceViews } from '../cli/output/devices.ts';
import { deviceText } from '../cli/output/kublk-text.ts';
import { preferredFormat } from '../cli/output/views.ts';
import { waitFor } from '../cli/running/waiting.ts';
import type { ControlChannel } from '../control/channel.ts';

export default class Add extends BaseCommand {
  static override summary = 'Make a block device and start its server.';
  static override description =
    'Returns when /dev/ublkbN can be used. A server process serves the device until `del` or `stop`. The target says what the device is made of: null (it stores nothing), loop (one file), ram (memory, which outlives the server), stripe (several files), nbd (an export of an NBD server, named by its URI; or of a program such as nbdkit or qemu-nbd that is named behind `--`), fault_inject (it delays requests or kills its server, for tests). A program behind `--` is started for the device on a private socket, started again if it dies, and ended with the device; it is also started once before, to ask it what it exports. nbdkit and qemu-nbd are told where to listen; any other program needs {socket} among its words, in place of the path of its unix socket. The target can also be a file of your own, in TypeScript or JavaScript (see docs/writing-a-target.md), or a package; `add -t FILE --help` shows the options that it has. When a server dies, its device is gone unless one of these is given: with -i 1 clients see no error, because the next server repeats the requests under way; with -r 1 those fail; with -e 1 all requests fail until `recover`.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -t null --shmem_zc',
    '<%= config.bin %> <%= command.id %> -t loop -q 4 -d 64 --auto_zc disk.img',
    '<%= config.bin %> <%= command.id %> -t loop --shmem_zc --htlb /mnt/huge/buf disk.img',
    '<%= config.bin %> <%= command.id %> -t stripe --chunk_size 64k a.img b.img',
    '<%= config.bin %> <%= command.id %> -t loop -i 1 -n 7 disk.img',
    '<%= config.bin %> <%= command.id %> -t nbd nbd://storage.example/disk',
    '<%= config.bin %> <%= command.id %> -t nbd -- qemu-nbd -f qcow2 disk.qcow2',
    '<%= config.bin %> <%= command.id %> -t ./ram.ts -o size=1G',
  ];
  static override args = {
    files: Args.string({
      description: 'The backing files of the target; for nbd the URI of the export, or -- and a program to start.',
      multiple: true,
      ignoreStdin: true,
    }),
  };
  static override flags = {
    type: Flags.string({
      char: 't',
      helpValue: 'TARGET',
      summary: 'The target: null, loop, ram, stripe, nbd, fault_inject, or the file or package of your own.',
      helpGroup: 'DEVICE',
    }),
    number: newDeviceId({
      char: 'n',
      summary: 'The id of the new device. The default is -1: the kernel chooses.',
      helpGroup: 'DEVICE',
    }),
    ...createFlags,
    server: residentServer({
      summary: `${createFlags.server.summary ?? ''} UBLKTS_SERVER=NAME in the environment, or a line server = NAME in ${CONFIGURATION_FILE}, means --server=NAME for every device; with UBLKTS_SERVER= the line does not count.`,
      helpGroup: 'SERVER',
    }),
    format: formatFlag,
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Add);
    const options = addRequest({ ...flags, server: serverOf(flags) }, args.files ?? [], this.argv);
    await importWithoutHandlers(options.target);
    const notesOf = (notes: readonly string[]): readonly string[] => (flags.quiet ? [] : notes);
    if (flags.foreground) {
      const { runForeground } = await import('../device/add/foreground.ts');
      const wantsText = this.json || flags.format !== undefined;
      await stayInForeground({
        serve: (onReady, waiting) => runForeground(options, onReady, waiting),
        print: ({ notes, ...device }) => this.printWithNotes(newDeviceViews(device), notesOf(notes), flags.format),
        wantsText,
      });
      return;
    }
    const { addAndRead } = await import('../device/add/add.ts');
    const added = <T>(read: (channel: ControlChannel, id: number) => Promise<T>) =>
      waitFor(this.chatty, 'waiting for the server', (waiting) => addAndRead(options, read, waiting));
    if (!this.json && (flags.format ?? preferredFormat()) === 'kublk') {
      // Scripts add devices by the thousand, and kublk's text is what the driver tells alone.
      const { kernelReport } = await import('../device/report/kernel-report.ts');
      const { report, notes } = await added(kernelReport);
      this.printText(deviceText(report), notesOf(notes));
    } else {
      const { describe } = await import('../device/report/list.ts');
      const { report, notes } = await added(describe);
      this.printWithNotes(newDeviceViews(report), notesOf(notes), flags.format);
    }
  }
}
