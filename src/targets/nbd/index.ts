/** The target `nbd`: an export of an NBD server, over a connection per queue thread. */
import { UblkError } from '../../errors.ts';
import type { OneThread } from '../../spec/target-traits.ts';
import { refusalOf } from '../refusal.ts';
import type { OpenRequest, QueueContext, TargetType } from '../target.ts';
import { askExport } from './ask.ts';
import { connectNbd } from './connect.ts';
import { chooseExport } from './handshake/negotiate.ts';
import { NBD_OPTIONS, parseNbdOptions, recordedNbdOptions } from './options.ts';
import { nbdParams } from './params.ts';
import { NBD_FLAG_CAN_MULTI_CONN } from './protocol/numbers.ts';
import { NbdQueue } from './queue.ts';
import { formatNbdUri } from './uri.ts';

export type NbdState = Pick<OpenRequest, 'options' | 'maxIoBufBytes'>;

const ONE_CONNECTION: OneThread = {
  because: 'the server does not say that its connections see what was written on others (CAN_MULTI_CONN)',
  otherwise: 'let the server say so, for example with `qemu-nbd --shared=N`',
};

/** What the C library reads to find the address of a host. */
const RESOLVER_FILES = ['/etc/hosts', '/etc/nsswitch.conf', '/etc/resolv.conf'];

export const nbdTarget: TargetType<NbdState> = {
  name: 'nbd',
  summary: 'an export of an NBD server, such as nbdkit or qemu-nbd',
  options: NBD_OPTIONS,
  files: { min: 0, max: 0 },
  prefers: [],
  looksAtData: true,
  recorded: recordedNbdOptions,
  refuses: ({ options, integrity }) =>
    integrity === null ? refusalOf(() => parseNbdOptions(options)) : 'target nbd stores no metadata of blocks',
  inspect: async (options) => {
    const { flags } = await askExport(parseNbdOptions(options).uri);
    return { oneThread: (flags & NBD_FLAG_CAN_MULTI_CONN) === 0 ? ONE_CONNECTION : undefined };
  },
  reopens: (options) => {
    const { address } = parseNbdOptions(options).uri;
    return address.kind === 'unix' ? [address.path] : RESOLVER_FILES;
  },
  open: ({ options, maxIoBufBytes }) => {
    return { params: null, files: [], state: { options, maxIoBufBytes }, operations: 1, close: () => {} };
  },
  queue,
  resize: async ({ options, bytes }) => {
    const { uri } = parseNbdOptions(options);
    const found = await askExport(uri);
    if (bytes > found.bytes) throw tooSmall(formatNbdUri(uri), found.bytes, bytes);
  },
};

function tooSmall(uri: string, is: number, wanted: number): UblkError {
  return new UblkError(`${uri} has ${is} bytes, less than ${wanted}`, {
    code: 'ENOSPC',
    command: 'UPDATE_SIZE',
    hint: 'make the export larger where its server has it, and try again',
  });
}

async function queue(context: QueueContext<NbdState>): Promise<NbdQueue> {
  const { state } = context;
  const options = parseNbdOptions(state.options);
  const { uri, structured } = options;
  const { fd, result } = await connectNbd(uri, () => chooseExport({ exportName: uri.exportName, structured }));
  return new NbdQueue(context, options, nbdParams(result.export, state), { fd, ...result });
}
