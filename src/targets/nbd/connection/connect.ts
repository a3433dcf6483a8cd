/**
 * Connects to an NBD server and negotiates with it. The result has a bare descriptor, for the ring: that of the connection
 * itself, or the plain end of its TLS tunnel.
 */
import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { UblkError } from '../../../errors.ts';
import type { SocketAddress } from '../../../native/libc/socket-address.ts';
import { duplicate, setBlocking, startConnecting } from '../../../native/libc/stream-socket.ts';
import { textOfCode } from '../../../native/uapi/errno.ts';
import { addressesOf } from './addresses.ts';
import { askResolver } from './look-ups.ts';
import { Conversation, type Dialogue } from '../handshake/dialogue.ts';
import { protocolError } from '../handshake/failure.ts';
import { startTls } from '../handshake/negotiate.ts';
import type { Tunnels } from '../tls/thread.ts';
import type { Tunnel, TunnelRequest } from '../tls/tunnel.ts';
import { describeAddress, formatNbdUri, type NbdAddress, type NbdUri } from '../uri.ts';

export interface Connected<T> {
  /** A blocking socket that nothing else uses. The caller closes it. */
  readonly fd: number;
  readonly result: T;
  /** Drops what a TLS tunnel has not delivered yet, with the tunnel; null without TLS. */
  readonly drop: (() => void) | null;
}

export interface Attempt {
  /** Opens the tunnel of a URI with TLS; by default in this process. */
  readonly tunnels?: Tunnels;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
  /** How long a negotiation may take; by default NEGOTIATION_MS. */
  readonly longestMs?: number;
}

/** The `command` of the error about a server that has sent nothing at all. */
const SILENCE = 'greet';
/** A server that does not answer within this time is taken for dead. */
const ANSWER_MS = 10_000;
/** A server that answers each message in time, and is still negotiating after this time, is given up. */
const NEGOTIATION_MS = 30_000;
/** How long the TLS tunnel may take to report the reason after the connection has ended. */
const REASON_MS = 200;
/**
 * An idle connection that is dead is noticed after half a minute: after 15 s without data, 3 probes are sent.
 * liveness.ts looks at connections that are in use.
 */
const TCP_LIMITS = { idleSeconds: 15, probeSeconds: 5, probes: 3 };

/**
 * Makes the dialogue for one attempt; a host with several addresses can need several attempts. `greeted`: the server's
 * handshake flags, if an earlier dialogue has received them.
 */
export type NewDialogue<T> = (greeted?: number) => Dialogue<T>;

const HERE: Tunnels = { open: openTunnelHere, lost: () => {} };

/** Connects and runs a dialogue. Throws a UblkError that names the URI. */
export async function connectNbd<T>(
  uri: NbdUri,
  dialogue: NewDialogue<T>,
  attempt: Attempt = {},
): Promise<Connected<T>> {
  const { tunnels = HERE, signal } = attempt;
  try {
    const addresses = await addressesOf(uri.address);
    if (uri.tls === undefined) return await connectToOne(addresses, dialogue, attempt);
    const { fd, result: greeted } = await connectToOne(addresses, startTls, attempt);
    const host = uri.address.kind === 'tcp' ? uri.address.host : undefined;
    const tunnel = await tunnels.open({ fd, tls: uri.tls, host });
    const connected = await throughTunnel(tunnel, dialogue(greeted), attempt);
    // A connection that was closed by the other end is noticed on the socket, as without TLS.
    void tunnel.closed.then((error) =>
      error === null || error.code === 'ECONNRESET' ? undefined : tunnels.lost(error),
    );
    return connected;
  } catch (error) {
    signal?.throwIfAborted();
    throw explained(error, uri);
  }
}

/** Runs a dialogue that ends the session. */
export async function askNbd<T>(uri: NbdUri, dialogue: NewDialogue<T>, attempt?: Attempt): Promise<T> {
  const { fd, result } = await connectNbd(uri, dialogue, attempt);
  closeSync(fd);
  return result;
}

/** A server may refuse a client only after the handshake, and then the tunnel knows why. */
async function throughTunnel<T>(
  { fd, closed, drop }: Tunnel,
  dialogue: Dialogue<T>,
  attempt: Attempt,
): Promise<Connected<T>> {
  try {
    return { ...(await converse(fd, dialogue, attempt)), drop };
  } catch (error) {
    throw (await Promise.race([closed, sleep(REASON_MS, null)])) ?? error;
  }
}

/** Most connections have no TLS, and need not load it. */
async function openTunnelHere(request: TunnelRequest): Promise<Tunnel> {
  const { openTunnel } = await import('../tls/tunnel.ts');
  return openTunnel(request);
}

/** The first address that answers at all is the server's: what fails there is not tried elsewhere. */
async function connectToOne<T>(
  addresses: readonly SocketAddress[],
  dialogue: NewDialogue<T>,
  attempt: Attempt,
): Promise<Connected<T>> {
  let last: unknown;
  for (const address of addresses) {
    try {
      return await converse(startConnecting(address, TCP_LIMITS), dialogue(), attempt);
    } catch (error) {
      attempt.signal?.throwIfAborted();
      if (error instanceof UblkError && error.command !== 'connect' && error.command !== SILENCE) throw error;
      last = error;
    }
  }
  throw last;
}

/**
 * Drives a dialogue over the socket `fd`, with a socket of Node's on a second descriptor. It closes `fd` if it fails.
 */
async function converse<T>(
  fd: number,
  dialogue: Dialogue<T>,
  { signal, longestMs = NEGOTIATION_MS }: Attempt,
): Promise<Connected<T>> {
  const socket = await socketOf(fd);
  let hasAnswered = false;
  const conversation = new Conversation(dialogue);
  const ended = Promise.withResolvers<T>();
  const silence = setTimeout(() => ended.reject(noAnswer(hasAnswered)), ANSWER_MS);
  const whole = setTimeout(() => ended.reject(tooLong(longestMs)), longestMs);
  const giveUp = (): void => ended.reject(signal?.reason);
  signal?.addEventListener('abort', giveUp);
  if (signal?.aborted === true) giveUp();
  const step = (advance: () => Uint8Array): void => {
    try {
      const bytes = advance();
      if (bytes.length > 0) socket.write(bytes);
      const { result, surplus } = conversation;
      if (result === undefined) return;
      if (surplus > 0) throw protocolError('it sends more than it was asked for');
      // What was sent last must have left this process before its descriptor is closed.
      socket.write('', () => ended.resolve(result.value));
    } catch (error) {
      ended.reject(error);
    }
  };
  socket.on('data', (bytes) => {
    hasAnswered = true;
    silence.refresh();
    step(() => conversation.receive(bytes));
  });
  socket.on('error', (error) => ended.reject(error));
  socket.on('close', () => ended.reject(closedError()));
  step(() => conversation.start());
  try {
    const result = await ended.promise;
    setBlocking(fd, true);
    return { fd, result, drop: null };
  } catch (error) {
    closeSync(fd);
    throw error;
  } finally {
    clearTimeout(silence);
    clearTimeout(whole);
    signal?.removeEventListener('abort', giveUp);
    socket.destroy();
  }
}

/** A socket of Node's on a second descriptor. It closes `fd` if there can be none. */
async function socketOf(fd: number): Promise<Socket> {
  try {
    const { Socket } = await import('node:net');
    return new Socket({ fd: duplicate(fd), readable: true, writable: true });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * The server speaks first. When an address has sent nothing, there may be no server at all, so the next address is
 * tried.
 */
function noAnswer(hasAnswered: boolean): UblkError {
  return new UblkError(`the server does not answer within ${ANSWER_MS / 1000} s`, {
    code: 'ETIMEDOUT',
    command: hasAnswered ? 'read' : SILENCE,
    ...(hasAnswered ? {} : { hint: 'it may serve another client: qemu-nbd serves one at a time without `--shared=N`' }),
  });
}

function tooLong(longestMs: number): UblkError {
  return new UblkError(`the server answers, but the negotiation has not ended within ${longestMs / 1000} s`, {
    code: 'ETIMEDOUT',
    command: 'read',
  });
}

function closedError(): UblkError {
  return new UblkError('the server closes the connection before the negotiation has ended', {
    code: 'ECONNRESET',
    command: 'read',
    hint: 'the log of the server may say why; an export that it does not have is one reason',
  });
}

/** Says which URI the error is about; for an error of Node's, also what it means. */
function explained(thrown: unknown, uri: NbdUri): unknown {
  const text = formatNbdUri(uri);
  if (thrown instanceof UblkError && thrown.command !== 'connect') {
    const { code, kind, command, hint } = thrown;
    return new UblkError(`cannot use ${text}: ${thrown.message}`, {
      code,
      kind,
      ...(command === undefined ? {} : { command }),
      ...(hint === undefined ? {} : { hint }),
    });
  }
  const code = (thrown as { readonly code?: unknown } | null)?.code;
  if (typeof code !== 'string') return thrown;
  return new UblkError(`cannot connect to ${text}: ${reasonOf(code, uri.address)}`, {
    code,
    command: 'connect',
    kind: 'failed',
    hint: hintOf(code, uri.address),
  });
}

function hintOf(code: string, address: NbdAddress): string {
  const isName = code === 'ENOTFOUND' || code.startsWith('EAI_');
  if (isName && address.kind === 'tcp') return askResolver(address.host);
  return `is the server running, and does it listen on ${describeAddress(address)}?`;
}

function reasonOf(code: string, address: NbdAddress): string {
  if (code === 'ENOTFOUND' && address.kind === 'tcp') return `there is no host named ${address.host}`;
  if (code === 'EAI_AGAIN') return 'no name server answers';
  return textOfCode(code);
}
