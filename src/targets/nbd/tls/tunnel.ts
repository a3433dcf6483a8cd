/**
 * A TLS connection with a plain end: data that is written to the plain end goes to the server encrypted, and data from
 * the server comes out of it. The plain end is one end of a pair of unix sockets, so a ring can use it as any other
 * socket. A slow reader on one side makes the writer on the other side wait. When one side ends, so does the other.
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { abandon, socketPair } from '../../../native/libc/stream-socket.ts';
import { UblkError } from '../../../errors.ts';
import { isGone, LOOK_SECONDS, SILENT } from '../connection/liveness.ts';
import { connectionOptions } from './credentials.ts';
import { closedError, tlsError } from './failure.ts';
import type { TlsOptions } from './options.ts';

export interface Tunnel {
  /** The plain end. The caller closes it, which ends the connection. */
  readonly fd: number;
  /** Resolves when the connection has ended: to the reason if TLS is to blame, and to null if one of the two ends was closed. */
  readonly closed: Promise<UblkError | null>;
  /** Ends the connection at once. What was written to the plain end and has not been sent is not sent any more. */
  readonly drop: () => void;
}

export interface TunnelRequest {
  /** A socket that is connected to the server, which has agreed to TLS. The tunnel closes it. */
  readonly fd: number;
  readonly tls: TlsOptions;
  /** The name of the server; undefined for a unix socket. */
  readonly host: string | undefined;
}

/** About as much as a unix socket holds. */
const BUFFER_BYTES = 256 << 10;
const HANDSHAKE_MS = 10_000;
/** How long a server may take to read the last data before the connection is dropped. */
const LINGER_MS = 1_000;

/** Resolves when the TLS handshake is done. Throws a UblkError when it fails. */
export async function openTunnel({ fd, tls, host }: TunnelRequest): Promise<Tunnel> {
  const secure = await handshake(fd, tls, host);
  const [ours, theirs] = pairFor(secure);
  const plain = new Socket({
    fd: ours,
    readable: true,
    writable: true,
    allowHalfOpen: true,
    // The same buffer is used for every read. It is free again when TLS has passed on its data.
    onread: {
      buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
      callback: (length, buffer) => {
        secure.write(buffer.subarray(0, length), () => plain.resume());
        return false;
      },
    },
  });
  const closed = Promise.withResolvers<UblkError | null>();
  const looks = setInterval(() => {
    if (!isGone(fd)) return;
    abandon(fd);
    secure.destroy(silent());
  }, LOOK_SECONDS * 1000);
  secure.on('error', (error) => closed.resolve(tlsError(error)));
  secure.on('close', () => {
    clearInterval(looks);
    closed.resolve(null);
    plain.end();
    // Data that still comes is dropped, but it has to be read so that its end is noticed.
    plain.resume();
  });
  // The queue thread may close its end while there are unread bytes in it, which is no failure.
  plain.on('error', () => {});
  plain.on('end', () => endSoon(secure));
  plain.on('close', () => endSoon(secure));
  secure.pipe(plain);
  plain.resume();
  const drop = (): void => {
    // Its descriptor may be another socket's by now.
    if (secure.destroyed) return;
    abandon(fd);
    secure.destroy();
  };
  return { fd: theirs, closed: closed.promise, drop };
}

/** The two plain ends. It ends the connection if there can be none. */
function pairFor(secure: TLSSocket): [ours: number, theirs: number] {
  try {
    return socketPair();
  } catch (error) {
    secure.on('error', () => {});
    secure.destroy();
    throw error;
  }
}

/** Says goodbye to the server, and does not wait for it for long. */
function endSoon(secure: TLSSocket): void {
  if (secure.destroyed) return;
  secure.end();
  secure.resume();
  setTimeout(() => secure.destroy(), LINGER_MS).unref();
}

async function handshake(fd: number, tls: TlsOptions, host: string | undefined): Promise<TLSSocket> {
  let socket: Socket | undefined;
  const done = Promise.withResolvers<void>();
  const timer = setTimeout(() => done.reject(late()), HANDSHAKE_MS);
  try {
    const options = connectionOptions(tls, host);
    socket = new Socket({ fd, readable: true, writable: true });
    const secure = connect({ ...options, socket }, () => done.resolve());
    const fail = (error: Error): void => done.reject(error);
    secure.on('error', fail);
    secure.on('close', () => done.reject(closedError()));
    await done.promise;
    secure.off('error', fail);
    return secure;
  } catch (error) {
    if (socket === undefined) closeSync(fd);
    else socket.destroy();
    throw tlsError(error);
  } finally {
    clearTimeout(timer);
  }
}

function silent(): UblkError {
  return new UblkError(SILENT, { code: 'ETIMEDOUT' });
}

function late(): UblkError {
  return new UblkError(`the server does not answer to TLS within ${HANDSHAKE_MS / 1000} s`, { code: 'ETIMEDOUT' });
}
