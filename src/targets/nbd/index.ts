/** The target `nbd`: an export of an NBD server, over a connection per queue thread. */
import { release } from 'node:os';
import { dirname } from 'node:path';
import { UblkError, usageError } from '../../errors.ts';
import { filesOf } from '../../record/files.ts';
import { option } from '../../spec/option-names.ts';
import type { OneThread } from '../../spec/target-traits.ts';
import { requireNoIntegrity } from '../integrity.ts';
import type { BuiltInTarget, Opened, OpenRequest, QueueContext } from '../target.ts';
import { askExport } from './ask.ts';
import { claimExport, devicesServingExport } from './claim.ts';
import { connectNbd } from './connection/connect.ts';
import { type SharedShutdowns, shareShutdowns, Shutdowns } from './connection/shutdowns.ts';
import { chooseExport } from './handshake/negotiate.ts';
import { namespacesOfUri } from './namespaces.ts';
import { connectionOptions, NBD_OPTIONS, parseNbdOptions, recordedNbdOptions } from './options.ts';
import { nbdParams } from './params.ts';
import { argumentPathsOf, pathsOf, programOf } from './program/command.ts';
import { ProgramKeeper } from './program/keeper.ts';
import { askProgram } from './program/probe.ts';
import { NBD_FLAG_CAN_MULTI_CONN } from './protocol/numbers.ts';
import { NbdQueue, type NbdQueueOptions } from './queue.ts';
import { nbdStorage } from './storage.ts';
import { TlsThread } from './tls/thread.ts';
import { leave } from './transmission/goodbye.ts';
import { type SharedUnstored, shareUnstored, Unstored } from './transmission/unstored.ts';
import { formatNbdUri } from './uri.ts';

export interface NbdState extends Pick<OpenRequest, 'options' | 'maxIoBufBytes' | 'dataPath' | 'kept'> {
  readonly shutdowns: SharedShutdowns;
  readonly unstored: SharedUnstored;
}

const ONE_CONNECTION: OneThread = {
  because: 'the NBD server does not promise that each connection sees what was written on the others (CAN_MULTI_CONN)',
  otherwise: 'let the server say so, for example with `qemu-nbd --shared=N`',
};

/**
 * Open files of a queue thread, as counted in /proc/PID/fd: a connection, with and without TLS, and one more while a lost
 * connection is made again.
 */
const DESCRIPTORS = 3;
const DESCRIPTORS_WITH_TLS = 11;
/** The file of the claim on the export, or the pipe from which the program's guard reads; and the socket of `update_size`. */
const DESCRIPTORS_OF_MAIN = 2;

/** What the C library reads to find the address of a host. */
const RESOLVER_FILES = ['/etc/hosts', '/etc/nsswitch.conf', '/etc/resolv.conf'];

export const nbdTarget: BuiltInTarget<NbdState> = {
  name: 'nbd',
  summary: 'an export of an NBD server, such as nbdkit or qemu-nbd',
  options: NBD_OPTIONS,
  files: { min: 0, max: 0, instead: 'a URI such as nbd://host:port/export, or -- PROGRAM ...' },
  prefers: [],
  looksAtData: true,
  keepsFeatures: true,
  registeredPaths: ['auto_zc'],
  descriptors: (options, threads) => {
    const usesTls = programOf(options) === null && parseNbdOptions(options).uri.tls !== undefined;
    return DESCRIPTORS_OF_MAIN + threads * (usesTls ? DESCRIPTORS_WITH_TLS : DESCRIPTORS);
  },
  // A program that is named now is started where it is named.
  displaces: { uri: ['program', 'directory', 'export'], program: ['uri', 'directory'] },
  recorded: recordedNbdOptions,
  check,
  inspect: async (options, recovering, signal) => {
    const program = programOf(options);
    // The number of threads was decided when the device was made. The old process of the program may still have the
    // image, so no second one is started to ask.
    if (program !== null && recovering) return {};
    const { flags } = await (program === null
      ? askExport(parseNbdOptions(options).uri, signal)
      : askProgram(program, options['export'] ?? '', signal));
    return { oneThread: (flags & NBD_FLAG_CAN_MULTI_CONN) === 0 ? ONE_CONNECTION : undefined };
  },
  // A program may open any path and any address.
  namespaces: (options) =>
    programOf(options) === null ? namespacesOfUri(parseNbdOptions(options).uri) : ['mnt', 'net'],
  // What a program serves cannot be known, and its socket is the device's own.
  alsoServed: async (options, except) => {
    if (programOf(options) !== null) return null;
    const { uri } = parseNbdOptions(options);
    return { uri: formatNbdUri(uri), devices: await devicesServingExport(uri, except) };
  },
  places: (options) => {
    const program = programOf(options);
    if (program !== null) return argumentPathsOf(program);
    const { address } = parseNbdOptions(options).uri;
    // Each server makes its socket anew.
    return address.kind === 'unix' ? [dirname(address.path)] : [];
  },
  reopens: (options) => {
    const program = programOf(options);
    if (program !== null) return pathsOf(program);
    const { address, tls } = parseNbdOptions(options).uri;
    const keys = [tls?.certificates, tls?.pskFile].filter((path) => path !== undefined);
    return [...keys, ...(address.kind === 'unix' ? [address.path] : RESOLVER_FILES)];
  },
  open,
  queue,
  storage: nbdStorage,
};

function check({ device, options, dataPath, integrity }: OpenRequest): void {
  requireNoIntegrity('nbd', integrity);
  const { structured } = parseNbdOptions(connectionOptions(options, device));
  if (!structured || dataPath !== 'auto_zc') return;
  throw usageError(
    [option('targetOptions.structured_replies'), ' and the data path auto_zc exclude each other'],
    ['holes are filled with zeroes, which takes another ', option('dataPath'), ', for example copy'],
  );
}

async function open(request: OpenRequest): Promise<Opened<NbdState>> {
  const { device, options, maxIoBufBytes, dataPath, kept } = request;
  if (dataPath === 'auto_zc') requireFixedBuffers(release());
  const begun = await begin(request);
  return {
    params: null,
    files: [],
    state: {
      options: connectionOptions(options, device),
      maxIoBufBytes,
      dataPath,
      kept,
      shutdowns: shareShutdowns(),
      unstored: shareUnstored(),
    },
    operations: 1,
    ...begun,
  };
}

/** Claims the export, or starts the program. */
async function begin(request: OpenRequest): Promise<Pick<Opened, 'close' | 'explain'>> {
  const program = programOf(request.options);
  if (program === null) return { close: await claimExport(parseNbdOptions(request.options).uri, request) };
  const { program: folder, log } = filesOf(request.device);
  const keeper = await ProgramKeeper.start(program, { device: request.device, folder, log });
  return { close: () => keeper.end(), explain: (error) => keeper.explain(error) };
}

/** On an older kernel, a socket cannot be read into a registered buffer. */
function requireFixedBuffers(kernel: string): void {
  const [major = 0, minor = 0] = kernel.split('.').map(Number);
  if (major > 7 || (major === 7 && minor >= 2)) return;
  throw new UblkError(`auto_zc is not possible with the target nbd on Linux ${kernel}: sockets have it since 7.2`, {
    code: 'EOPNOTSUPP',
    hint: ['use another ', option('dataPath'), ', for example copy'],
  });
}

/** `add` has asked before it made the device; the server of a device that is recovered may be another one. */
function needsOneThread(uri: string, threads: number): UblkError {
  return new UblkError(`${uri} cannot be served by ${threads} threads: ${ONE_CONNECTION.because}`, {
    code: 'EINVAL',
    kind: 'usage',
    hint: `${ONE_CONNECTION.otherwise}, as it did when the device was made`,
  });
}

async function queue(context: QueueContext<NbdState>): Promise<NbdQueue> {
  const { slots, state, thread, threads } = context;
  const tunnels = new TlsThread();
  try {
    return await connectQueue(context, {
      ...parseNbdOptions(state.options),
      kept: state.kept,
      registers: state.dataPath === 'auto_zc',
      tunnels,
      shutdowns: new Shutdowns(state.shutdowns),
      unstored: new Unstored({ shared: state.unstored, slots, thread, threads }),
    });
  } catch (error) {
    await tunnels.end();
    throw error;
  }
}

async function connectQueue(context: QueueContext<NbdState>, options: NbdQueueOptions): Promise<NbdQueue> {
  const { state, threads } = context;
  const { uri, structured, tunnels } = options;
  const choose = (greeted?: number) => chooseExport({ exportName: uri.exportName, structured }, greeted);
  const { fd, drop, result } = await connectNbd(uri, choose, { tunnels });
  try {
    if (threads > 1 && (result.export.flags & NBD_FLAG_CAN_MULTI_CONN) === 0) {
      throw needsOneThread(formatNbdUri(uri), threads);
    }
    return new NbdQueue(context, options, nbdParams(result.export, state), { fd, drop, ...result });
  } catch (error) {
    // A resident server goes on to run, and its server would go on to have a client.
    leave(fd);
    throw error;
  }
}
