/** Which export a URI leads to, however it is written. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { SocketAddress } from '../../native/libc/socket-address.ts';
import { addressesOf } from './connection/addresses.ts';
import type { NbdUri } from './uri.ts';

/**
 * Resolves to names of the export, as its server is reached now: two URIs that have a name in common lead to the same
 * export. With or without TLS, and with whichever key, it is the same. A host that cannot be looked up has its own name only.
 */
export async function namesOfExport({ address, exportName }: NbdUri): Promise<string[]> {
  if (address.kind === 'unix') return [JSON.stringify(['unix', realPath(address.path), exportName])];
  const found = await addressesOf(address).catch(() => []);
  const hosts = [address.host.toLowerCase(), ...found.map(addressText)];
  return [...new Set(hosts)].map((host) => JSON.stringify(['tcp', host, address.port, exportName]));
}

/** Whether it could be the same export: if not, no host needs to be looked up to know that. */
export function mayBeSame(a: NbdUri, b: NbdUri): boolean {
  if (a.exportName !== b.exportName) return false;
  if (a.address.kind === 'unix' || b.address.kind === 'unix') return a.address.kind === b.address.kind;
  return a.address.port === b.address.port;
}

/** A socket that is not there, because its server is away, keeps its name in a folder that is. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path === dirname(path) ? path : join(realPath(dirname(path)), basename(path));
  }
}

/** An address in one spelling. One of IPv4 in the form of IPv6 leads to the same machine as itself. */
function addressText(found: SocketAddress): string {
  if (found.family === 'unix') return found.path;
  const hex = Buffer.from(found.address).toString('hex');
  // Only a link-local address (fe80::/10) leads elsewhere on another interface.
  const scope = found.scope === undefined || !/^fe[89ab]/.test(hex) ? '' : `%${found.scope}`;
  return hex.replace(/^0{20}ffff/, '') + scope;
}
