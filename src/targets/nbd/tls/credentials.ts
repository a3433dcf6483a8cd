/**
 * Reads the certificates or keys that a URI names, and makes the options of node:tls of them. node:tls would say nothing of
 * which file is wrong, and take an authority that it cannot read for none.
 */
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { basename, join } from 'node:path';
import { createSecureContext, getCACertificates, type ConnectionOptions, type PeerCertificate } from 'node:tls';
import { UblkError } from '../../../errors.ts';
import { textOfCode } from '../../../native/uapi/errno.ts';
import { TLS_PARAMETERS, type TlsOptions } from './options.ts';

/**
 * The ciphers for a shared key: those of TLS 1.3 with SHA-256, which that version requires, and those of TLS 1.2 that
 * need no certificate.
 */
const PSK_CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:PSK:!kRSAPSK:!eNULL:!aNULL';
/** Older versions are not accepted. Every NBD server with TLS has 1.2. */
const OLDEST = 'TLSv1.2';
/** The most bytes that OpenSSL takes: PSK_MAX_PSK_LEN and PSK_MAX_IDENTITY_LEN of openssl/ssl.h. */
const MAX_KEY_BYTES = 512;
const MAX_USER_BYTES = 256;
const OF_DIRECTORY = `${TLS_PARAMETERS.certificates}=DIR names the directory that has ca-cert.pem, and client-cert.pem with client-key.pem for a server that asks for them`;
const OF_KEY_FILE = 'a key is in PEM, belongs to the certificate beside it, and has no passphrase';
const OF_KEY = 'make one with `psktool -u USER -p FILE`';
/** Where Node and OpenSSL look without SSL_CERT_DIR. */
const SYSTEM_AUTHORITIES = '/etc/ssl/certs';

/** `host`: the name in the URI; undefined for a unix socket. Throws a UblkError for files that cannot be used. */
export function connectionOptions(tls: TlsOptions, host: string | undefined): ConnectionOptions {
  return tls.pskFile === undefined ? certificateOptions(tls, host) : pskOptions(tls.pskFile, tls.user);
}

function certificateOptions(tls: TlsOptions, host: string | undefined): ConnectionOptions {
  const { certificates: directory, verifyPeer } = tls;
  const name = tls.hostname ?? host;
  return {
    minVersion: OLDEST,
    rejectUnauthorized: verifyPeer,
    ...(name === undefined ? { checkServerIdentity: () => undefined } : { host: name }),
    // The name is sent so that the server can choose among its certificates (SNI), which allows no addresses.
    ...(name !== undefined && isIP(name) === 0 && { servername: name }),
    ...(directory === undefined ? { ca: systemAuthorities(verifyPeer) } : inDirectory(directory, verifyPeer)),
  };
}

/** Without their directory Node would write a line of its own to standard error, and every server would be refused. */
function systemAuthorities(areNeeded: boolean): string[] {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: directory = SYSTEM_AUTHORITIES } = process.env;
  if (file !== undefined || existsSync(directory)) return getCACertificates('system');
  if (!areNeeded) return [];
  throw new UblkError(`this system has no certificates of authorities: there is no ${directory}`, {
    code: 'ENOENT',
    hint: `install them (\`apt install ca-certificates\`), or name the server's authority with ${TLS_PARAMETERS.certificates}=DIR`,
  });
}

/** The files by the names that nbdkit, qemu and libnbd have for them. */
function inDirectory(directory: string, verifyPeer: boolean): ConnectionOptions {
  const paths = {
    ca: join(directory, 'ca-cert.pem'),
    cert: join(directory, 'client-cert.pem'),
    key: join(directory, 'client-key.pem'),
    crl: join(directory, 'ca-crl.pem'),
  };
  const ca = read(paths.ca, OF_DIRECTORY, !verifyPeer);
  const cert = read(paths.cert, OF_DIRECTORY, true);
  const key = read(paths.key, OF_DIRECTORY, cert === undefined);
  const crl = read(paths.crl, OF_DIRECTORY, true);
  // As bytes, it could be in DER, which node:tls does not take.
  if (ca !== undefined && verifyPeer)
    requireUsable(paths.ca, 'has no certificate in PEM', () => new X509Certificate(ca.toString()));
  if (cert !== undefined) requireUsable(paths.cert, 'has no certificate in PEM', () => createSecureContext({ cert }));
  if (key !== undefined) {
    const pair = { ...(cert !== undefined && { cert }), key };
    requireUsable(
      paths.key,
      cert === undefined ? 'has no key in PEM that can be used' : `is not a usable key of ${basename(paths.cert)}`,
      () => createSecureContext(pair),
      OF_KEY_FILE,
    );
  }
  if (crl !== undefined)
    requireUsable(paths.crl, 'has no list of revoked certificates in PEM', () => createSecureContext({ crl }));
  return {
    ca: ca ?? [],
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(crl !== undefined && { crl }),
  };
}

/** Reads a file; undefined when it is optional and does not exist. */
function read(path: string, hint: string, isOptional = false): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException;
    if (isOptional && code === 'ENOENT') return undefined;
    throw new UblkError(`cannot read ${path}: ${textOfCode(code)}`, { code, command: 'open', hint });
  }
}

/** `use` throws when `problem`, a predicate of the file, is true. */
function requireUsable(path: string, problem: string, use: () => unknown, hint = OF_DIRECTORY): void {
  try {
    use();
  } catch (error) {
    const { reason, message } = error as Error & { readonly reason?: string };
    throw unusable(`${path} ${problem} (${reason ?? message})`, hint);
  }
}

function pskOptions(path: string, user: string | undefined): ConnectionOptions {
  const [identity, psk] = keyOf(path, user);
  return {
    minVersion: OLDEST,
    ciphers: PSK_CIPHERS,
    pskCallback: () => ({ identity, psk }),
    // No certificate is accepted: a server must prove that it has the key.
    ca: [],
    checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
      Object.keys(certificate).length === 0 ? undefined : new Error('it has a certificate and not the shared key'),
  };
}

/** The line of the user, or the only line. */
function keyOf(path: string, user: string | undefined): [user: string, key: Uint8Array] {
  const text = read(path, OF_KEY)?.toString('utf8') ?? '';
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const keys = lines.map((line) => {
    const at = line.lastIndexOf(':');
    return [line.slice(0, Math.max(0, at)), line.slice(at + 1)] as const;
  });
  const found = user === undefined && keys.length === 1 ? keys[0] : keys.find(([name]) => name === user);
  if (found === undefined) {
    if (keys.length === 0) throw unusable(`${path} has no key`);
    const whose = user === undefined ? 'several keys, and no user is named' : `no key of ${JSON.stringify(user)}`;
    throw unusable(`${path} has ${whose}`, 'name one, for example nbds://alice@host/');
  }
  const [name, hex] = found;
  if (name === '') throw unusable(`the line of ${path} is not USER:HEX`);
  if (Buffer.byteLength(name) > MAX_USER_BYTES) {
    throw unusable(`the user of the key in ${path} has a name of more than ${MAX_USER_BYTES} bytes`);
  }
  if (hex.length > 2 * MAX_KEY_BYTES)
    throw unusable(`the key of ${name} in ${path} is longer than ${MAX_KEY_BYTES} bytes`);
  if (!/^(?:[0-9a-f]{2})+$/i.test(hex)) throw unusable(`the key of ${name} in ${path} is not hexadecimal`);
  return [name, Buffer.from(hex, 'hex')];
}

function unusable(message: string, hint = OF_KEY): UblkError {
  return new UblkError(message, { code: 'EINVAL', hint });
}
