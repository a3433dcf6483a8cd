/** `nbd-info`: what an NBD server says of its exports. It needs no device, no ublk and no rights. */
import { UblkError } from '../errors.ts';
import { askExport } from '../targets/nbd/ask.ts';
import { askNbd } from '../targets/nbd/connect.ts';
import { listExports, type RefusedExport } from '../targets/nbd/handshake/negotiate.ts';
import type { NbdExport } from '../targets/nbd/handshake/export.ts';
import {
  NBD_FLAG_CAN_MULTI_CONN,
  NBD_FLAG_READ_ONLY,
  NBD_FLAG_ROTATIONAL,
  NBD_FLAG_SEND_CACHE,
  NBD_FLAG_SEND_DF,
  NBD_FLAG_SEND_FAST_ZERO,
  NBD_FLAG_SEND_FLUSH,
  NBD_FLAG_SEND_FUA,
  NBD_FLAG_SEND_RESIZE,
  NBD_FLAG_SEND_TRIM,
  NBD_FLAG_SEND_WRITE_ZEROES,
} from '../targets/nbd/protocol/numbers.ts';
import { formatNbdUri, type NbdUri, parseNbdUri } from '../targets/nbd/uri.ts';

export interface NbdExportReport {
  readonly name: string;
  readonly description: string | null;
  /** The URI of this export. */
  readonly uri: string;
  readonly size_bytes: number;
  /** Bytes; null where the server says nothing of its blocks. `maximum` is null for a server without a limit. */
  readonly block_sizes: {
    readonly minimum: number;
    readonly preferred: number;
    readonly maximum: number | null;
  } | null;
  /** Hex. */
  readonly flags: string;
  /** The flags by the protocol's names, without NBD_FLAG_. */
  readonly flag_names: readonly string[];
}

/** An export that the server lists, and that cannot be used. */
export interface NbdExportFailure {
  readonly name: string;
  readonly description: string | null;
  readonly uri: string;
  readonly error: string;
}

const NO_MAXIMUM = 0xffff_ffff;

/**
 * The flags by their names, in the order in which they are shown: the properties of the disk come before details of the
 * protocol.
 */
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [NBD_FLAG_READ_ONLY, 'READ_ONLY'],
  [NBD_FLAG_SEND_FLUSH, 'SEND_FLUSH'],
  [NBD_FLAG_SEND_FUA, 'SEND_FUA'],
  [NBD_FLAG_ROTATIONAL, 'ROTATIONAL'],
  [NBD_FLAG_SEND_TRIM, 'SEND_TRIM'],
  [NBD_FLAG_SEND_WRITE_ZEROES, 'SEND_WRITE_ZEROES'],
  [NBD_FLAG_SEND_FAST_ZERO, 'SEND_FAST_ZERO'],
  [NBD_FLAG_CAN_MULTI_CONN, 'CAN_MULTI_CONN'],
  [NBD_FLAG_SEND_DF, 'SEND_DF'],
  [NBD_FLAG_SEND_RESIZE, 'SEND_RESIZE'],
  [NBD_FLAG_SEND_CACHE, 'SEND_CACHE'],
];

/**
 * The exports of the server, or the one that the URI names. A server that does not list its exports may still say
 * something of its default export.
 */
export async function nbdInfo(text: string): Promise<(NbdExportReport | NbdExportFailure)[]> {
  const uri = parseNbdUri(text);
  const exports = uri.exportName === '' ? await all(uri) : [await askExport(uri)];
  return exports.map((found) => ('problem' in found ? failureOf(uri, found) : reportOf(uri, found)));
}

async function all(uri: NbdUri): Promise<(NbdExport | RefusedExport)[]> {
  try {
    return await askNbd(uri, listExports);
  } catch (error) {
    if (error instanceof UblkError && (error.code === 'EPERM' || error.code === 'EOPNOTSUPP'))
      return [await askExport(uri)];
    throw error;
  }
}

function failureOf(uri: NbdUri, { name, description, problem }: RefusedExport): NbdExportFailure {
  return { name, description, uri: formatNbdUri({ ...uri, exportName: name }), error: problem };
}

function reportOf(uri: NbdUri, { name, description, bytes, flags, blockSizes }: NbdExport): NbdExportReport {
  return {
    name,
    description,
    uri: formatNbdUri({ ...uri, exportName: name }),
    size_bytes: bytes,
    block_sizes:
      blockSizes === null
        ? null
        : { ...blockSizes, maximum: blockSizes.maximum === NO_MAXIMUM ? null : blockSizes.maximum },
    flags: `0x${flags.toString(16)}`,
    flag_names: FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, flag]) => flag),
  };
}
