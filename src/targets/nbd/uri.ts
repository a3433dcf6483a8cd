/**
 * An NBD URI as data: `nbd://HOST[:PORT]/EXPORT` and `nbd+unix:///EXPORT?socket=PATH`, as the NetworkBlockDevice project
 * defines them (doc/uri.md there). Names in a URI are percent-encoded.
 */
import { resolve } from 'node:path';
import { type UblkError, usageError } from '../../errors.ts';

export type NbdAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export interface NbdUri {
  readonly address: NbdAddress;
  /** The export's name; empty for the server's default export. */
  readonly exportName: string;
}

const DEFAULT_PORT = 10_809;
/** NBD_MAX_STRING: the longest string of the protocol, in bytes. */
const MAX_NAME_BYTES = 4096;
/** sizeof(sun_path) - 1. */
const MAX_SOCKET_BYTES = 107;

const URI = /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?<authority>[^/?#]*)(?:\/(?<name>[^?#]*))?(?:\?(?<query>[^#]*))?$/i;
const AUTHORITY = /^(?:[^@]*@)?(?<host>\[[^\]]*\]|[^:]*)(?::(?<port>\d*))?$/;
const EXAMPLES = 'for example nbd://host/export or nbd+unix:///export?socket=/run/nbd.sock';

/** Throws a usage error for a text that is no NBD URI, or one of a kind that is not supported. */
export function parseNbdUri(text: string): NbdUri {
  const { scheme = '', authority = '', name = '', query = '' } = URI.exec(text)?.groups ?? {};
  const exportName = decoded(name, text);
  if (Buffer.byteLength(exportName) > MAX_NAME_BYTES) throw refused(text, 'the name of its export is too long');
  const parameters = parametersOf(query, text);
  switch (scheme.toLowerCase()) {
    case 'nbd':
      if (parameters.has('socket')) throw refused(text, 'a socket belongs to nbd+unix://');
      return { address: tcpAddress(authority, text), exportName };
    case 'nbd+unix':
      if (authority !== '') throw refused(text, 'nbd+unix:// has no host, so a third slash follows');
      return { address: unixAddress(parameters.get('socket'), text), exportName };
    case 'nbds':
    case 'nbds+unix':
      throw refused(text, 'TLS is not supported yet', 'tunnel it, for example with stunnel or ssh -L');
    default:
      throw refused(text, 'it does not begin with nbd:// or nbd+unix://');
  }
}

/** The URI in one spelling; a socket's path is absolute, so that it means the same in every directory. */
export function formatNbdUri({ address, exportName }: NbdUri): string {
  const name = encodeURIComponent(exportName).replaceAll('%2F', '/');
  if (address.kind === 'unix') return `nbd+unix:///${name}?socket=${encodePath(address.path)}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const port = address.port === DEFAULT_PORT ? '' : `:${address.port}`;
  return `nbd://${host}${port}/${name}`;
}

/** Where a server is, for a sentence. */
export function describeAddress(address: NbdAddress): string {
  return address.kind === 'unix' ? `socket ${address.path}` : `${address.host} port ${address.port}`;
}

function tcpAddress(authority: string, text: string): NbdAddress {
  const groups = AUTHORITY.exec(authority)?.groups;
  if (groups === undefined) throw refused(text, 'its host and port cannot be read');
  const { host = '', port = '' } = groups;
  const number = port === '' ? DEFAULT_PORT : Number(port);
  if (number < 1 || number > 65_535) throw refused(text, `${port} is not a port`);
  const bare = host.startsWith('[') ? host.slice(1, -1) : decoded(host, text);
  return { kind: 'tcp', host: bare === '' ? 'localhost' : bare, port: number };
}

function unixAddress(socket: string | undefined, text: string): NbdAddress {
  if (socket === undefined || socket === '') throw refused(text, 'it names no socket');
  const path = resolve(socket);
  if (Buffer.byteLength(path) > MAX_SOCKET_BYTES) throw refused(text, 'the path of its socket is too long');
  return { kind: 'unix', path };
}

/** A plus sign stays a plus sign: the query of an NBD URI is not a form. */
function parametersOf(query: string, text: string): Map<string, string> {
  const pairs = query.split('&').filter((pair) => pair !== '');
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return at < 0 ? [pair, ''] : [pair.slice(0, at), decoded(pair.slice(at + 1), text)];
    }),
  );
}

function decoded(part: string, text: string): string {
  let plain: string;
  try {
    plain = decodeURIComponent(part);
  } catch {
    throw refused(text, `${JSON.stringify(part)} is not percent-encoded UTF-8`);
  }
  if (plain.includes('\0')) throw refused(text, 'it has a null character in it');
  return plain;
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function refused(text: string, why: string, hint = EXAMPLES): UblkError {
  return usageError(`${JSON.stringify(text)} is not a URI that this program can serve: ${why}`, hint);
}
