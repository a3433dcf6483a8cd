/** Addresses of sockets. The layouts are those of <sys/un.h> and <netinet/in.h> of 64-bit Linux. */
import { AF_INET, AF_INET6, AF_UNIX, UNIX_PATH_MAX } from '../uapi/socket.ts';

export type SocketAddress =
  | { readonly family: 'unix'; readonly path: string }
  /** The address is in bytes: 4 of IPv4, 16 of IPv6. `scope`: the index of a network interface, for an IPv6 link-local one. */
  | { readonly family: 'ip'; readonly address: Uint8Array; readonly port: number; readonly scope?: number };

/** Makes a struct sockaddr_un, sockaddr_in or sockaddr_in6. Throws a RangeError for a path that is too long for it. */
export function encodeAddress(address: SocketAddress): Uint8Array {
  if (address.family === 'unix') {
    const path = new TextEncoder().encode(address.path);
    if (path.length >= UNIX_PATH_MAX) throw new RangeError(`the path is too long for a socket: ${address.path}`);
    const name = new Uint8Array(2 + UNIX_PATH_MAX);
    name[0] = AF_UNIX;
    name.set(path, 2);
    return name;
  }
  const isV4 = address.address.length === 4;
  const name = new Uint8Array(isV4 ? 16 : 28);
  name[0] = isV4 ? AF_INET : AF_INET6;
  new DataView(name.buffer).setUint16(2, address.port);
  name.set(address.address, isV4 ? 4 : 8);
  if (!isV4) new DataView(name.buffer).setUint32(24, address.scope ?? 0, true);
  return name;
}
