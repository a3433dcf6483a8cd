/** NBD servers for the tests of the target nbd: real ones, and one that breaks the protocol as it is told. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  NBD_CMD_READ,
  NBD_CMD_WRITE,
  NBD_FLAG_CAN_MULTI_CONN,
  NBD_FLAG_HAS_FLAGS,
  NBD_FLAG_SEND_FLUSH,
  NBD_OPT_GO,
  NBD_OPT_INFO,
  NBD_OPT_STARTTLS,
  NBD_OPT_STRUCTURED_REPLY,
  NBD_REP_ACK,
  NBD_REP_ERR_TLS_REQD,
  NBD_REPLY_FLAG_DONE,
  NBD_REQUEST_BYTES,
} from '../../../src/targets/nbd/protocol/numbers.ts';
import {
  decodeRequest,
  encodeDataChunk,
  encodeExportInfo,
  encodeGreeting,
  encodeOptionReply,
  encodeSimpleReply,
  type NbdRequest,
} from './server-side.ts';

export interface Program {
  readonly pid: number;
  /** Ends it as a crash would. */
  readonly kill: () => Promise<void>;
}

/** Starts a server that listens on the socket `path` and stays in the foreground. Resolves when it listens. */
export async function startServer(words: readonly string[], path: string): Promise<Program> {
  rmSync(path, { force: true });
  const [command = '', ...args] = words;
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  for (let tries = 0; !existsSync(path); tries++) {
    assert.ok(child.exitCode === null && tries < 1200, `${words.join(' ')} listens on ${path}`);
    await sleep(25);
  }
  return { pid: child.pid ?? -1, kill: () => killed(child) };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** What a hostile server answers to a request, in place of `honest`. */
export type Lie = (request: NbdRequest, honest: Buffer, socket: Socket) => Buffer;

export interface HostileServer {
  /** What it does from now on. */
  lie: Lie;
  /** What the export has (NBD_FLAG_*), as it is told to clients that connect from now on. */
  flags: number;
  /** So many connections are closed as soon as the export is chosen. */
  drops: number;
  /** What it sends to a client that connects, in place of its greeting; null: it greets. */
  garbage: (() => Buffer) | null;
  readonly connections: number;
  /** Where it listens on 127.0.0.1; 0: on a unix socket. */
  readonly port: number;
  /** Connections that are made from now on find a disk of so many bytes, with what it held. */
  readonly grow: (bytes: number) => void;
  readonly close: () => Promise<void>;
}

/** In place of a path: a port of 127.0.0.1. */
export const TCP = Symbol('TCP');
const HONEST: Lie = (_request, honest) => honest;
const FLAGS = NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH | NBD_FLAG_CAN_MULTI_CONN;
const NO_GARBAGE: HostileServer['garbage'] = null;

/**
 * A disk in memory of `bytes` bytes, on a unix socket or on TCP, which answers as `lie` says. With `secure`, which has the
 * server's certificate or key, it takes only clients with TLS.
 */
export async function hostileServer(
  path: string | typeof TCP,
  bytes: number,
  secure?: TLSSocketOptions,
): Promise<HostileServer> {
  if (path !== TCP) rmSync(path, { force: true });
  let disk = Buffer.alloc(bytes);
  const sockets = new Set<Socket>();
  const state = { lie: HONEST, flags: FLAGS, drops: 0, connections: 0, garbage: NO_GARBAGE };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    state.connections++;
    const isDropped = state.drops > 0;
    if (isDropped) state.drops--;
    const { flags } = state;
    const session: Session = { disk, flags, isDropped, lie: (request, honest) => state.lie(request, honest, socket) };
    socket.write(state.garbage?.() ?? encodeGreeting());
    if (secure === undefined) serve(socket, session, CLIENT_FLAGS_BYTES);
    else startTls(socket, session, secure);
  });
  if (path === TCP) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  const address = server.address();
  return {
    get lie() {
      return state.lie;
    },
    set lie(lie) {
      state.lie = lie;
    },
    get flags() {
      return state.flags;
    },
    set flags(flags) {
      state.flags = flags;
    },
    get drops() {
      return state.drops;
    },
    set drops(drops) {
      state.drops = drops;
    },
    get garbage() {
      return state.garbage;
    },
    set garbage(garbage) {
      state.garbage = garbage;
    },
    get connections() {
      return state.connections;
    },
    port: typeof address === 'string' ? 0 : (address?.port ?? 0),
    grow: (larger) => {
      disk = Buffer.concat([disk], larger);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

type Answer = (request: NbdRequest, honest: Buffer) => Buffer;

const CLIENT_FLAGS_BYTES = 4;
/** Magic number, option, length. */
const OPTION_HEADER_BYTES = 16;

interface Session {
  readonly disk: Buffer;
  readonly flags: number;
  readonly lie: Answer;
  /** The session ends when the export is chosen. */
  readonly isDropped: boolean;
}

/** The client asks for TLS first of all; one that does not is sent away. */
function startTls(socket: Socket, session: Session, secure: TLSSocketOptions): void {
  let come: Buffer = Buffer.alloc(0);
  const read = (bytes: Buffer): void => {
    come = Buffer.concat([come, bytes]);
    if (come.length < CLIENT_FLAGS_BYTES + OPTION_HEADER_BYTES) return;
    socket.off('data', read);
    socket.pause();
    const option = come.readUInt32BE(CLIENT_FLAGS_BYTES + 8);
    const isTls = option === NBD_OPT_STARTTLS;
    socket.write(encodeOptionReply(option, isTls ? NBD_REP_ACK : NBD_REP_ERR_TLS_REQD));
    if (!isTls) return;
    const inner = new TLSSocket(socket, { ...secure, isServer: true });
    inner.on('error', () => {});
    serve(inner, session, 0);
  };
  socket.on('data', read);
}

/** Serves a client that has been greeted, and sends so many bytes of flags before its options. */
function serve(socket: Socket, { disk, flags, lie, isDropped }: Session, flagBytes: number): void {
  let come: Buffer = Buffer.alloc(0);
  let hasFlags = false;
  let isNegotiated = false;
  let structured = false;
  socket.on('data', (bytes) => {
    come = Buffer.concat([come, bytes]);
    if (!hasFlags) {
      if (come.length < flagBytes) return;
      hasFlags = true;
      come = come.subarray(flagBytes);
    }
    while (!isNegotiated) {
      if (come.length < OPTION_HEADER_BYTES || come.length < OPTION_HEADER_BYTES + come.readUInt32BE(12)) return;
      const option = come.readUInt32BE(8);
      come = come.subarray(OPTION_HEADER_BYTES + come.readUInt32BE(12));
      if (option === NBD_OPT_STRUCTURED_REPLY) {
        structured = true;
        socket.write(encodeOptionReply(option, NBD_REP_ACK));
        continue;
      }
      if (option !== NBD_OPT_INFO && option !== NBD_OPT_GO) {
        socket.end();
        return;
      }
      isNegotiated = option === NBD_OPT_GO;
      const answer = describe(option, disk.length, flags);
      if (isNegotiated && isDropped) socket.end(answer);
      else socket.write(answer);
    }
    come = answered(socket, { disk, structured, lie }, come);
  });
}

/** The answer to INFO and to GO. */
function describe(option: number, bytes: number, flags: number): Buffer {
  const info = encodeExportInfo(option, BigInt(bytes), flags);
  return Buffer.concat([info, encodeOptionReply(option, NBD_REP_ACK)]);
}

interface Answering {
  readonly disk: Buffer;
  readonly structured: boolean;
  readonly lie: Answer;
}

/** Answers every whole request, and returns the rest. */
function answered(socket: Socket, { disk, structured, lie }: Answering, come: Buffer): Buffer {
  let rest = come;
  while (rest.length >= NBD_REQUEST_BYTES) {
    const request = decodeRequest(rest);
    if (request === null) {
      socket.destroy();
      return Buffer.alloc(0);
    }
    const length = request.command === NBD_CMD_WRITE ? request.length : 0;
    if (rest.length < NBD_REQUEST_BYTES + length) break;
    const data = rest.subarray(NBD_REQUEST_BYTES, NBD_REQUEST_BYTES + length);
    rest = rest.subarray(NBD_REQUEST_BYTES + length);
    const answer = lie(request, honestAnswer(request, data, disk, structured));
    if (!socket.destroyed) socket.write(answer);
  }
  return rest;
}

function honestAnswer(request: NbdRequest, data: Buffer, disk: Buffer, structured: boolean): Buffer {
  const { command, cookie, length } = request;
  const offset = Number(request.offset);
  if (command === NBD_CMD_WRITE) disk.set(data, offset);
  const found = command === NBD_CMD_READ ? disk.subarray(offset, offset + length) : undefined;
  if (structured && found !== undefined) return encodeDataChunk(cookie, NBD_REPLY_FLAG_DONE, request.offset, found);
  return encodeSimpleReply(cookie, 0, found);
}
