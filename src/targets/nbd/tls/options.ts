/** What a URI says of TLS: `nbds://USER@HOST/?tls-certificates=DIR`, with the parameters that libnbd has. */
import { resolve } from 'node:path';
import { switchValue } from '../../switch.ts';

export interface TlsOptions {
  /** A directory with ca-cert.pem and, for a server that asks for it, client-cert.pem and client-key.pem. */
  readonly certificates?: string;
  /** A file with lines of USER:HEX, the keys that client and server share. */
  readonly pskFile?: string;
  /** Whose key of that file is used. */
  readonly user?: string;
  /** The name that the certificate must have, where that is not the host of the URI. */
  readonly hostname?: string;
  /** Whether the certificate of the server is looked at. */
  readonly verifyPeer: boolean;
}

/** The parameters of a URI. */
export const TLS_PARAMETERS = {
  certificates: 'tls-certificates',
  pskFile: 'tls-psk-file',
  hostname: 'tls-hostname',
  verifyPeer: 'tls-verify-peer',
} as const;

/** The parameters that are about certificates. With a shared key there are no certificates. */
const OF_CERTIFICATES = [TLS_PARAMETERS.certificates, TLS_PARAMETERS.hostname, TLS_PARAMETERS.verifyPeer];

/** Says what cannot be meant: a value that is none, and a part that would be of no effect; null when all can be. */
export function tlsProblem(parameters: ReadonlyMap<string, string>, user: string): string | null {
  const { verifyPeer, pskFile } = TLS_PARAMETERS;
  const empty = Object.values(TLS_PARAMETERS).find((name) => parameters.get(name) === '');
  if (empty !== undefined) return `${empty} is empty`;
  const verify = parameters.get(verifyPeer);
  if (verify !== undefined && switchValue(verify.toLowerCase()) === null) {
    return `${verifyPeer} ${JSON.stringify(verify)} is neither true nor false`;
  }
  if (!parameters.has(pskFile)) return user === '' ? null : `a user belongs to ${pskFile}, whose keys have users`;
  const idle = OF_CERTIFICATES.find((name) => parameters.has(name));
  return idle === undefined
    ? null
    : `${idle} is of no effect with ${pskFile}, because a key takes the place of certificates`;
}

/** Reads the parameters, which have no `tlsProblem`. Paths become absolute. */
export function tlsOptionsOf(parameters: ReadonlyMap<string, string>, user: string): TlsOptions {
  const certificates = parameters.get(TLS_PARAMETERS.certificates);
  const pskFile = parameters.get(TLS_PARAMETERS.pskFile);
  const hostname = parameters.get(TLS_PARAMETERS.hostname);
  const verify = parameters.get(TLS_PARAMETERS.verifyPeer)?.toLowerCase() ?? 'true';
  return {
    ...(certificates !== undefined && { certificates: resolve(certificates) }),
    ...(pskFile !== undefined && { pskFile: resolve(pskFile) }),
    ...(user !== '' && { user }),
    ...(hostname !== undefined && { hostname }),
    verifyPeer: switchValue(verify) ?? true,
  };
}

/** The parameters as they stand in a URI, without those that are as they would be anyway. */
export function tlsParametersOf({ certificates, pskFile, hostname, verifyPeer }: TlsOptions): [string, string][] {
  const all: [string, string | undefined][] = [
    [TLS_PARAMETERS.certificates, certificates],
    [TLS_PARAMETERS.pskFile, pskFile],
    [TLS_PARAMETERS.hostname, hostname],
    [TLS_PARAMETERS.verifyPeer, verifyPeer ? undefined : 'false'],
  ];
  return all.filter((pair): pair is [string, string] => pair[1] !== undefined);
}
