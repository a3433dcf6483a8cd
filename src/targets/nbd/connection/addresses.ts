/** Finds the addresses that the host of a URI has. */
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { UblkError } from '../../../errors.ts';
import type { SocketAddress } from '../../../native/libc/socket-address.ts';
import { interfaceIndex } from '../../../native/libc/stream-socket.ts';
import type { NbdAddress } from '../uri.ts';
import { LookUps } from './look-ups.ts';

const LIMIT_MS = 10_000;

/** Resolves to the addresses in the order in which to try them. */
export async function addressesOf(address: NbdAddress): Promise<SocketAddress[]> {
  if (address.kind === 'unix') return [{ family: 'unix', path: address.path }];
  const [host = '', zone] = address.host.split('%');
  const scope = zone === undefined ? {} : { scope: scopeOf(zone) };
  const family = isIP(host);
  const found = family === 0 ? await lookUps.find(host, LIMIT_MS) : [{ address: host, family }];
  return found.map((one) => ({ family: 'ip', address: addressBytes(one.address), port: address.port, ...scope }));
}

/** A zone is the name of a network interface, or its index. */
function scopeOf(zone: string): number {
  if (/^\d+$/.test(zone)) return Number(zone);
  try {
    return interfaceIndex(zone);
  } catch {
    const hint = '`ip -6 addr` shows the interfaces that have link-local addresses';
    throw new UblkError(`there is no network interface named ${zone}`, { code: 'ENODEV', command: 'lookup', hint });
  }
}

/** Most servers are reached over a unix socket, and need no resolver. */
const lookUps = new LookUps<LookupAddress[]>(async (host) => {
  const { lookup } = await import('node:dns/promises');
  return lookup(host, { all: true });
});

/** The bytes of an address as the resolver writes it. */
function addressBytes(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.'), Number);
  const [head = '', tail] = text.split('::');
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The 16-bit groups of a part of an IPv6 address. The last two may be written as an IPv4 address. */
function groupsOf(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
