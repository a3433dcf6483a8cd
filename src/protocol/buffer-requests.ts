/**
 * The messages on /run/ublk/ublkbN.sock. A connection carries one request and one answer; then the server closes it.
 * There are two protocols:
 *
 * - kublk's: one byte of any value together with one descriptor. The answer is an int32: the buffer's index, or -errno.
 *   Whatever else a client sends together with a descriptor is taken for this too, as kublk does.
 * - ublkts's: a frame (frame.ts); a descriptor comes with it where the request is about one. The answer is a frame.
 *
 * A request that cannot be understood is answered with an int32 too, because its sender knows no frames.
 */
import {
  badRequest,
  countField,
  encodeFrame,
  type Fields,
  frameText,
  HEADER_BYTES,
  MAGIC,
  MAX_REQUEST_BYTES,
  parseFields,
} from './frame.ts';

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

/** Parses the bytes and descriptors that have arrived so far. */
export type Message =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'kublk' }
  | { readonly kind: 'frame'; readonly version: number; readonly payload: string }
  | { readonly kind: 'unknown' };

export function classify(bytes: Uint8Array, descriptors: number): Message {
  const begun = Math.min(bytes.length, MAGIC.length);
  const framed = Buffer.compare(MAGIC.subarray(0, begun), bytes.subarray(0, begun)) === 0;
  if (!framed || (begun < MAGIC.length && descriptors > 0)) return { kind: descriptors > 0 ? 'kublk' : 'unknown' };
  if (bytes.length < HEADER_BYTES) return { kind: 'incomplete' };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(8, true);
  const end = HEADER_BYTES + length;
  if (length > MAX_REQUEST_BYTES || bytes.length > end) return { kind: 'unknown' };
  if (bytes.length < end) return { kind: 'incomplete' };
  return { kind: 'frame', version: view.getUint16(4, true), payload: frameText(bytes.subarray(HEADER_BYTES)) };
}

export function encodeRequest(request: Request): Buffer {
  return encodeFrame(request);
}

/** Throws a UblkError that says what is wrong with the payload. */
export function parseRequest(payload: string): Request {
  const fields = parseFields(payload);
  const { op } = fields;
  switch (op) {
    case 'register':
      return { op, path: absolutePath(fields), readOnly: flag(fields, 'readOnly') };
    case 'register-fd':
      return { op, readOnly: flag(fields, 'readOnly') };
    case 'create':
      return { op, bytes: countField(fields, 'bytes'), seal: flag(fields, 'seal'), readOnly: flag(fields, 'readOnly') };
    case 'unregister':
      return { op, index: countField(fields, 'index'), ...optionalText(fields, 'inode') };
    case 'unregister-all':
    case 'list':
      return { op };
    default:
      throw badRequest(`there is no request '${String(op)}'`);
  }
}

function absolutePath(fields: Fields): string {
  const path = fields['path'];
  if (typeof path !== 'string' || !path.startsWith('/') || path.includes('\0')) {
    throw badRequest('path is not an absolute path');
  }
  return path;
}

function flag(fields: Fields, name: string): boolean {
  const value = fields[name] ?? false;
  if (typeof value !== 'boolean') throw badRequest(`${name} is neither true nor false`);
  return value;
}

function optionalText<Name extends string>(fields: Fields, name: Name): { readonly [N in Name]?: string } {
  const value = fields[name];
  if (value === undefined) return {};
  if (typeof value !== 'string') throw badRequest(`${name} is not a text`);
  return { [name]: value } as { readonly [N in Name]?: string };
}
