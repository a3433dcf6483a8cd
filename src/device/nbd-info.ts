/** `nbd-info`: what an NBD server says of its exports. It needs no device, no ublk and no rights. */
import { UblkError } from '../errors.ts';
import { ADD_DEFAULTS } from '../spec/options.ts';
import { askExport } from '../targets/nbd/ask.ts';
import { askNbd } from '../targets/nbd/connection/connect.ts';
import { listExports, type RefusedExport } from '../targets/nbd/handshake/negotiate.ts';
import { type NbdExport, NO_MAXIMUM } from '../targets/nbd/handshake/export.ts';
import { nbdParams } from '../targets/nbd/params.ts';
import { flagNames } from '../targets/nbd/protocol/flag-names.ts';
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
  /** Why no device can be made of it, in words; null: one can. */
  readonly unusable: string | null;
}

/** An export that the server lists, and that cannot be used. */
export interface NbdExportFailure {
  readonly name: string;
  readonly description: string | null;
  readonly uri: string;
  readonly error: string;
}

/** The server is asked for each export that it lists, up to ten thousand. */
const LISTING_MS = 300_000;

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
    const listed = await askNbd(uri, listExports, { longestMs: LISTING_MS });
    const exports: (NbdExport | RefusedExport)[] = [];
    for (const found of listed) exports.push(await sized(uri, found));
    return exports;
  } catch (error) {
    if (error instanceof UblkError && (error.code === 'EPERM' || error.code === 'EOPNOTSUPP'))
      return [await askExport(uri)];
    throw error;
  }
}

/** An export that is listed as empty is asked for by itself (askExport). */
async function sized(uri: NbdUri, found: NbdExport | RefusedExport): Promise<NbdExport | RefusedExport> {
  if ('problem' in found || found.bytes > 0) return found;
  const { description, ...asked } = await askExport({ ...uri, exportName: found.name });
  return { ...asked, name: found.name, description: found.description ?? description };
}

function failureOf(uri: NbdUri, { name, description, problem }: RefusedExport): NbdExportFailure {
  return { name, description, uri: formatNbdUri({ ...uri, exportName: name }), error: problem };
}

function reportOf(uri: NbdUri, found: NbdExport): NbdExportReport {
  const { name, description, bytes, flags, blockSizes } = found;
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
    flag_names: flagNames(flags),
    unusable: unusableBecause(found),
  };
}

function unusableBecause(found: NbdExport): string | null {
  try {
    nbdParams(found, ADD_DEFAULTS);
    return null;
  } catch (error) {
    if (error instanceof UblkError) return error.message;
    throw error;
  }
}
