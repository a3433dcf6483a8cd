/**
 * An NBD URI as data: `nbd://HOST[:PORT]/EXPORT` and `nbd+unix:///EXPORT?socket=PATH`, and with TLS `nbds://` and
 * `nbds+unix://`, as the NetworkBlockDevice project defines them (doc/uri.md there). Names in a URI are percent-encoded.
 */
import { resolve } from 'node:path';
import { type UblkError, usageError } from '../../errors.ts';
import { TLS_PARAMETERS, type TlsOptions, tlsOptionsOf, tlsParametersOf, tlsProblem } from './tls/options.ts';

export type NbdAddress =
  /** A host may be an address; one of IPv6 may have a zone: `fe80::1%eth0`. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export interface NbdUri {
  readonly address: NbdAddress;
  /** The export's name; empty for the server's default export. */
  readonly exportName: string;
  /** How TLS is used; undefined: the connection is not encrypted. */
  readonly tls?: TlsOptions;
}

const DEFAULT_PORT = 10_809;
/** NBD_MAX_STRING: the longest string of the protocol, in bytes. */
const MAX_NAME_BYTES = 4096;
/** sizeof(sun_path) - 1. */
const MAX_SOCKET_BYTES = 107;

const URI = /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?<authority>[^/?#]*)(?:\/(?<name>[^?#]*))?(?:\?(?<query>[^#]*))?$/i;
const SCHEME = /^nbd(s?)(\+unix)?$/i;
const AUTHORITY = /^(?<host>\[[^\]]*\]|[^:]*)(?::(?<port>\d*))?$/;
const PARAMETERS: readonly string[] = ['socket', ...Object.values(TLS_PARAMETERS)];
const LINK_LOCAL = /^fe[89ab][\da-f]:/i;
const EXAMPLES_V6 = 'for example nbd://[2001:db8::1]/ or nbd://[fe80::1%25eth0]/';
const EXAMPLES = 'for example nbd://host/export or nbd+unix:///export?socket=/run/nbd.sock';

/**
 * Throws a usage error for a text that is no NBD URI, or one of a kind that is not supported. `more`: parameters that are
 * given beside it, and take the place of its own.
 */
export function parseNbdUri(text: string, more: ReadonlyMap<string, string> = new Map()): NbdUri {
  if (text.includes('#')) throw refused(text, 'it has a fragment; a # that belongs to a name is written as %23');
  const { scheme = '', authority = '', name = '', query = '' } = URI.exec(text)?.groups ?? {};
  const exportName = decoded(name, text);
  const wrong = exportNameProblem(exportName);
  if (wrong !== null) throw refused(text, `the name of its export ${wrong}`);
  const parameters = new Map([...parametersOf(query, text), ...more]);
  const [, secure, unix] = SCHEME.exec(scheme) ?? [];
  if (secure === undefined) throw refused(text, 'it does not begin with nbd://, nbd+unix://, nbds:// or nbds+unix://');
  const [user, host] = divided(authority, text);
  const address =
    unix === undefined ? tcpAddress(host, parameters, text) : unixAddress(host, parameters.get('socket'), text);
  if (secure !== '') {
    const problem = tlsProblem(parameters, user);
    if (problem !== null) throw refused(text, problem);
    return { address, exportName, tls: tlsOptionsOf(parameters, user) };
  }
  if (user !== '') throw refused(text, 'a user belongs to nbds:// or nbds+unix://');
  const [given] = Object.values(TLS_PARAMETERS).filter((one) => parameters.has(one));
  if (given !== undefined) throw refused(text, `${given} belongs to nbds:// or nbds+unix://`);
  return { address, exportName };
}

/** Says why no server can be asked for an export of this name, as a predicate of the name; null when one can. */
export function exportNameProblem(name: string): string | null {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `is longer than ${MAX_NAME_BYTES} bytes`;
  if (name.includes('\0')) return 'has a null character in it';
  return name.isWellFormed() ? null : 'is not Unicode text';
}

/** Whether a text begins as the URI of a server with TLS does. */
export function asksForTls(text: string): boolean {
  return /^nbds(?:\+unix)?:/i.test(text);
}

/** The URI in one spelling; paths are absolute, so that it means the same in every directory. */
export function formatNbdUri({ address, exportName, tls }: NbdUri): string {
  const name = encodeURIComponent(exportName).replaceAll('%2F', '/');
  const scheme = tls === undefined ? 'nbd' : 'nbds';
  const user = tls?.user === undefined ? '' : `${encodeURIComponent(tls.user)}@`;
  const parameters = tls === undefined ? [] : tlsParametersOf(tls);
  if (address.kind === 'unix') {
    const query = queryOf([['socket', address.path], ...parameters]);
    return `${scheme}+unix://${user}/${name}${query}`;
  }
  const host = address.host.includes(':') ? `[${address.host.replace('%', '%25')}]` : address.host;
  const port = address.port === DEFAULT_PORT ? '' : `:${address.port}`;
  return `${scheme}://${user}${host}${port}/${name}${queryOf(parameters)}`;
}

function queryOf(parameters: readonly (readonly [name: string, value: string])[]): string {
  if (parameters.length === 0) return '';
  return `?${parameters.map(([name, value]) => `${name}=${encodePath(value)}`).join('&')}`;
}

/** Names the place of a server, as a part of a sentence. */
export function describeAddress(address: NbdAddress): string {
  return address.kind === 'unix' ? `socket ${address.path}` : `${address.host} port ${address.port}`;
}

/** The user and the rest of `USER@HOST:PORT`. */
function divided(authority: string, text: string): [user: string, rest: string] {
  const at = authority.lastIndexOf('@');
  const user = authority.slice(0, Math.max(0, at));
  if (user.includes(':')) throw refused(text, 'it has a password; a colon that belongs to the user is written as %3A');
  return [decoded(user, text), authority.slice(at + 1)];
}

function tcpAddress(authority: string, parameters: ReadonlyMap<string, string>, text: string): NbdAddress {
  if (parameters.has('socket')) throw refused(text, 'a socket belongs to nbd+unix:// or nbds+unix://');
  const groups = AUTHORITY.exec(authority)?.groups;
  if (groups === undefined) throw refused(text, 'its host and port cannot be read');
  const { host = '', port = '' } = groups;
  const number = port === '' ? DEFAULT_PORT : Number(port);
  if (number < 1 || number > 65_535) throw refused(text, `${port} is not a port`);
  const bare = host.startsWith('[') ? addressV6(host.slice(1, -1), text) : decoded(host, text);
  return { kind: 'tcp', host: bare === '' ? 'localhost' : bare, port: number };
}

/** The host between the brackets: an IPv6 address, which may have a zone after %25 (RFC 6874). */
function addressV6(inBrackets: string, text: string): string {
  const host = decoded(inBrackets, text);
  const [address = '', ...zones] = host.split('%');
  const isAddress = URL.canParse(`http://[${address}]`);
  if (!isAddress || zones.length > 1 || zones[0] === '') {
    throw refused(text, `[${inBrackets}] is not an IPv6 address`, EXAMPLES_V6);
  }
  // The kernel refuses to connect to it with EINVAL.
  if (LINK_LOCAL.test(address) && zones.length === 0) {
    throw refused(text, `[${inBrackets}] is link-local, and its network interface is not named`, EXAMPLES_V6);
  }
  return host;
}

function unixAddress(authority: string, socket: string | undefined, text: string): NbdAddress {
  if (authority !== '') throw refused(text, 'the URI of a unix socket has no host: three slashes follow the colon');
  if (socket === undefined || socket === '') throw refused(text, 'it names no socket');
  if (socket.startsWith('@')) throw refused(text, 'an abstract socket is not supported; a path may begin with ./@');
  const path = resolve(socket);
  if (Buffer.byteLength(path) > MAX_SOCKET_BYTES) throw refused(text, 'the path of its socket is too long');
  return { kind: 'unix', path };
}

/** A plus sign stays a plus sign: the query of an NBD URI is not a form. */
function parametersOf(query: string, text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&').filter((one) => one !== '')) {
    const [name = '', ...values] = pair.split('=');
    if (!PARAMETERS.includes(name)) {
      throw refused(text, `${JSON.stringify(name)} is not a parameter`, `the parameters are ${PARAMETERS.join(', ')}`);
    }
    if (parameters.has(name)) throw refused(text, `${name} is there twice`);
    parameters.set(name, decoded(values.join('='), text));
  }
  return parameters;
}

function decoded(part: string, text: string): string {
  const plain = decodedText(part);
  if (plain === null) throw refused(text, `${JSON.stringify(part)} is not percent-encoded UTF-8`);
  if (plain.includes('\0')) throw refused(text, 'it has a null character in it');
  return plain;
}

function decodedText(part: string): string | null {
  try {
    const plain = decodeURIComponent(part);
    return plain.isWellFormed() ? plain : null;
  } catch {
    return null;
  }
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function refused(text: string, why: string, hint = EXAMPLES): UblkError {
  return usageError(`${JSON.stringify(text)} is not a URI that this program can serve: ${why}`, hint);
}
