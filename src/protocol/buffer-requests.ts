/**
 * The messages on /run/ublk/ublkbN.sock. A connection carries one request and one answer; then the server closes it.
 * There are two protocols:
 *
 * - kublk's: one byte of any value together with one descriptor. The answer is an int32: the buffer's index, or -errno.
 *   Whatever else a client sends together with a descriptor is taken for this too, as kublk does.
 * - ublkts's: a frame of "ubts", version (u16), reserved (u16) and payload length (u32), all little-endian, followed by
 *   JSON; a descriptor comes with it where the request is about one. The answer is a frame.
 *
 * A request that cannot be understood is answered with an int32 too, because its sender knows no frames.
 */
import { UblkError } from '../errors.ts';
import type { WireError } from './error-wire.ts';

export const PROTOCOL_VERSION = 1;
export const HEADER_BYTES = 12;
/** The largest payload of a request. Answers may be longer, because they list buffers. */
export const MAX_REQUEST_BYTES = 8192;
const MAX_ANSWER_BYTES = 1 << 20;
const MAGIC = Buffer.from('ubts');

export type Request =
  /** A descriptor of the file at `path` comes with it, because the server may have other mounts than the client. */
  | { readonly op: 'register'; readonly path: string; readonly readOnly: boolean }
  /** Comes with a descriptor. */
  | { readonly op: 'register-fd'; readonly readOnly: boolean }
  | { readonly op: 'create'; readonly bytes: number; readonly seal: boolean; readonly readOnly: boolean }
  /** With `inode`, it is done only if the index stands for that memory now. */
  | { readonly op: 'unregister'; readonly index: number; readonly inode?: string }
  | { readonly op: 'unregister-all' }
  | { readonly op: 'list' };

export interface BufferAnswer {
  readonly index: number;
  readonly length: number;
  readonly readOnly: boolean;
  readonly source: string;
  readonly path: string | null;
  /** The inode of the file that the memory is. */
  readonly inode: string;
}

/** The value of a successful answer, by the request's `op`. */
export interface Answers {
  readonly register: BufferAnswer;
  readonly 'register-fd': BufferAnswer;
  readonly create: BufferAnswer;
  readonly unregister: null;
  readonly 'unregister-all': number[];
  readonly list: BufferAnswer[];
}

export type Answer =
  | { readonly ok: true; readonly value: Answers[keyof Answers] }
  | { readonly ok: false; readonly error: WireError };

/** Parses the bytes and descriptors that have arrived so far. */
export type Message =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'kublk' }
  | { readonly kind: 'frame'; readonly version: number; readonly payload: string }
  | { readonly kind: 'unknown' };

export function classify(bytes: Uint8Array, descriptors: number): Message {
  const begun = Math.min(bytes.length, MAGIC.length);
  const framed = MAGIC.subarray(0, begun).equals(bytes.subarray(0, begun));
  if (!framed || (begun < MAGIC.length && descriptors > 0)) return { kind: descriptors > 0 ? 'kublk' : 'unknown' };
  if (bytes.length < HEADER_BYTES) return { kind: 'incomplete' };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(8, true);
  const end = HEADER_BYTES + length;
  if (length > MAX_REQUEST_BYTES || bytes.length > end) return { kind: 'unknown' };
  if (bytes.length < end) return { kind: 'incomplete' };
  return { kind: 'frame', version: view.getUint16(4, true), payload: text(bytes.subarray(HEADER_BYTES)) };
}

export function encodeRequest(request: Request): Buffer {
  return encodeFrame(request);
}

export function encodeAnswer(answer: Answer): Buffer {
  return encodeFrame(answer);
}

export function encodeStatus(status: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(status);
  return bytes;
}

/** A complete answer: the number of kublk's protocol, or a frame's content. Throws when it is neither. */
export function decodeAnswer(bytes: Buffer): number | Answer {
  if (bytes.length === 4) return bytes.readInt32LE();
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw cutShort();
  const length = bytes.readUInt32LE(8);
  if (length > MAX_ANSWER_BYTES || bytes.length !== HEADER_BYTES + length) throw cutShort();
  const answer = parseJson(text(bytes.subarray(HEADER_BYTES)));
  if (typeof answer !== 'object' || answer === null || !('ok' in answer)) throw cutShort();
  return answer as Answer;
}

function cutShort(): UblkError {
  return new UblkError('the server closed the connection in the middle of its answer', {
    code: 'ECONNRESET',
    command: 'recv',
  });
}

/** Throws a UblkError that says what is wrong with the payload. */
export function parseRequest(payload: string): Request {
  const fields = parseObject(payload);
  const { op } = fields;
  switch (op) {
    case 'register':
      return { op, path: absolutePath(fields), readOnly: flag(fields, 'readOnly') };
    case 'register-fd':
      return { op, readOnly: flag(fields, 'readOnly') };
    case 'create':
      return { op, bytes: count(fields, 'bytes'), seal: flag(fields, 'seal'), readOnly: flag(fields, 'readOnly') };
    case 'unregister':
      return { op, index: count(fields, 'index'), ...optionalText(fields, 'inode') };
    case 'unregister-all':
    case 'list':
      return { op };
    default:
      throw badRequest(`there is no request '${String(op)}'`);
  }
}

function encodeFrame(content: object): Buffer {
  const payload = Buffer.from(JSON.stringify(content));
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt16LE(PROTOCOL_VERSION, 4);
  header.writeUInt32LE(payload.length, 8);
  return Buffer.concat([header, payload]);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function parseObject(payload: string): Readonly<Record<string, unknown>> {
  const value = parseJson(payload);
  if (value === undefined) throw badRequest('it is not JSON');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest('it is not an object');
  return value as Readonly<Record<string, unknown>>;
}

/** undefined: it is not JSON. */
function parseJson(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}

function absolutePath(fields: Readonly<Record<string, unknown>>): string {
  const path = fields['path'];
  if (typeof path !== 'string' || !path.startsWith('/') || path.includes('\0')) {
    throw badRequest('path is not an absolute path');
  }
  return path;
}

function flag(fields: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = fields[name] ?? false;
  if (typeof value !== 'boolean') throw badRequest(`${name} is neither true nor false`);
  return value;
}

function count(fields: Readonly<Record<string, unknown>>, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw badRequest(`${name} is not a whole number`);
  }
  return value;
}

function optionalText<Name extends string>(
  fields: Readonly<Record<string, unknown>>,
  name: Name,
): { readonly [N in Name]?: string } {
  const value = fields[name];
  if (value === undefined) return {};
  if (typeof value !== 'string') throw badRequest(`${name} is not a text`);
  return { [name]: value } as { readonly [N in Name]?: string };
}

function badRequest(reason: string): UblkError {
  return new UblkError(`the server does not understand the request: ${reason}`, { code: 'EBADMSG', command: 'recv' });
}
