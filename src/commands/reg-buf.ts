import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { resolve } from 'node:path';
import { BaseCommand } from '../cli/base-command.ts';
import { numberFlag, requireDevice } from '../cli/flags/device.ts';
import { onOff, pagesSize } from '../cli/flags/values.ts';
import { bufferViews } from '../cli/output/buffers.ts';
import { waitFor } from '../cli/running/waiting.ts';
import type { WaitOptions } from '../control/waiting.ts';
import type { BufferSource } from '../device/buffers.ts';
import { usageError } from '../errors.ts';

export default class RegBuf extends BaseCommand {
  static override summary = 'Register a shared buffer with a live device. Requests in it are no longer copied.';
  static override description =
    'The client maps the same file with MAP_SHARED and does direct I/O from that mapping. A request matches when all of its pages lie in one registered buffer. All other requests are copied as before. Name the file as a word; --htlb and --file mean the same, and scripts written for kublk use them.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> -n 0 --htlb /mnt/huge/buf',
    '<%= config.bin %> <%= command.id %> -n 0 --file /dev/shm/buf --rdonly_shmem_buf',
    '<%= config.bin %> <%= command.id %> -n 0 --memfd 4M',
  ];
  static override aliases = ['reg_buf'];
  static override args = {
    path: Args.string({ description: 'The file, without a flag.', ignoreStdin: true }),
  };
  static override flags = {
    number: numberFlag,
    htlb: Flags.string({ summary: 'Register this file on hugetlbfs.', helpValue: 'FILE', helpGroup: 'SHARED MEMORY' }),
    file: Flags.string({ summary: 'Register this file on tmpfs.', helpValue: 'FILE', helpGroup: 'SHARED MEMORY' }),
    rdonly_shmem_buf: onOff({
      summary: 'Register it read-only. Only writes to the device match.',
      helpGroup: 'SHARED MEMORY',
    }),
    memfd: pagesSize({
      summary: 'Make a memfd of this size, which the server holds, instead of using a file.',
      helpGroup: 'SHARED MEMORY',
    }),
    seal: onOff({ summary: 'With --memfd: seal its size, so that nobody can change it.', helpGroup: 'SHARED MEMORY' }),
  };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(RegBuf);
    const id = requireDevice(flags.number, undefined);
    const files = [args.path, flags.htlb, flags.file].filter((file) => file !== undefined);
    if (files.length > 1) throw usageError('several files are named', 'name one: each call registers one buffer');
    const source = sourceOf(files[0], flags.memfd, flags.seal, flags.rdonly_shmem_buf);
    const { registerBuffer } = await import('../device/buffers.ts');
    const register = (waiting: WaitOptions) => registerBuffer(id, source, waiting);
    this.print(bufferViews(id, await waitFor(this.chatty, 'waiting for the server to register the buffer', register)));
  }
}

function sourceOf(path: string | undefined, memfd: number | undefined, seal: boolean, readOnly: boolean): BufferSource {
  if (path !== undefined && memfd !== undefined)
    throw usageError('a file and --memfd are both given', 'give one of them');
  if (memfd !== undefined) return { kind: 'memfd', bytes: memfd, seal, readOnly };
  if (seal) throw usageError('--seal needs --memfd', 'add --memfd SIZE');
  if (path === undefined)
    throw usageError(
      'no buffer is named',
      'name a file, for example ublkts reg-buf -n 0 /dev/shm/buf, or give --memfd SIZE',
    );
  return { kind: 'path', path: resolve(path), readOnly };
}
