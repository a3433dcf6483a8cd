/** In which namespaces the server of an export, and the files for TLS, are found. */
import { isIP } from 'node:net';
import type { Namespace } from '../../native/namespaces.ts';
import type { NbdUri } from './uri.ts';

export function namespacesOfUri({ address, tls }: NbdUri): Namespace[] {
  if (address.kind === 'unix') return ['mnt'];
  const [host = ''] = address.host.split('%');
  // The address of a name is in /etc/hosts, or comes from a server that /etc/resolv.conf names; keys and authorities are files.
  const readsFiles = isIP(host) === 0 || tls !== undefined;
  return readsFiles ? ['mnt', 'net'] : ['net'];
}
