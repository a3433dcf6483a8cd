/**
 * What is said on /run/ublk/ublkbN.sock. One request a connection, one answer, and the server closes.
 *
 * - kublk's protocol: any one byte together with one descriptor; the answer is an int32, the buffer's index or -errno.
 *   Whatever else a client sends with a descriptor is taken for this too, as kublk does.
 * - Ours: a frame - "ubts", version (u16), reserved (u16), length of what follows (u32), all little-endian - with JSON
 *   in it, and a descriptor beside it where the request is about one. The answer is a frame.
 *
 * What cannot be understood is answered with an int32 too: whoever sent it knows no frames.
 */
import { type FailureKind, UblkError } from '../errors.ts';

export const PROTOCOL_VERSION = 1;
export const HEADER_BYTES = 12;
/** Of a frame's payload. Answers may be longer: they list buffers. */
export const MAX_REQUEST_BYTES = 8192;
const MAX_ANSWER_BYTES = 1 << 20;
const MAGIC = Buffer.from('ubts');

export type Request =
  | { readonly op: 'register'; readonly path: string; readonly readOnly: boolean }
  /** With a descriptor. */
  | { readonly op: 'register-fd'; readonly readOnly: boolean }
  | { readonly op: 'create'; readonly bytes: number; readonly seal: boolean; readonly readOnly: boolean }
  /** `inode`: only if that is what the index stands for now. */
  | { readonly op: 'unregister'; readonly index: number; readonly inode?: string }
  | { readonly op: 'unregister-all' }
  | { readonly op: 'list' };

export interface BufferAnswer {
  readonly index: number;
  readonly length: number;
  readonly readOnly: boolean;
  readonly source: string;
  readonly path: string | null;
  /** Of the file that the memory is. */
  readonly inode: string;
}

/** By the request's `op`. */
export interface Answers {
  readonly register: BufferAnswer;
  readonly 'register-fd': BufferAnswer;
  readonly create: BufferAnswer;
  readonly unregister: null;
  readonly 'unregister-all': number[];
  readonly list: BufferAnswer[];
}

export interface ErrorAnswer {
  readonly message: string;
  readonly code: string;
  readonly kind: FailureKind;
  readonly command?: string;
  readonly device?: number;
  readonly hint?: string;
}

export type Answer =
  | { readonly ok: true; readonly value: Answers[keyof Answers] }
  | { readonly ok: false; readonly error: ErrorAnswer };

/** What the bytes that have come so far, with so many descriptors, amount to. */
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

/** An answer read to its end: the number of kublk's protocol, or a frame's content. Throws when it is neither. */
export function decodeAnswer(bytes: Buffer): number | Answer {
  if (bytes.length === 4) return bytes.readInt32LE();
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw cutShort();
  const length = bytes.readUInt32LE(8);
  if (length > MAX_ANSWER_BYTES || bytes.length !== HEADER_BYTES + length) throw cutShort();
  return JSON.parse(text(bytes.subarray(HEADER_BYTES))) as Answer;
}

function cutShort(): UblkError {
  return new UblkError('the server closed the connection in the middle of its answer', {
    code: 'ECONNRESET',
    command: 'recv',
  });
}

/** Throws a UblkError that says what is wrong with it. */
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
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch {
    throw badRequest('it is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest('it is not an object');
  return value as Readonly<Record<string, unknown>>;
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
