/** The server's half of the NBD protocol, for tests: the reverse of what src/targets/nbd encodes and decodes. */
import {
  IHAVEOPT,
  NBD_FLAG_FIXED_NEWSTYLE,
  NBD_FLAG_HAS_FLAGS,
  NBD_FLAG_NO_ZEROES,
  NBD_INFO_BLOCK_SIZE,
  NBD_INFO_EXPORT,
  NBD_REP_INFO,
  NBD_REP_MAGIC,
  NBD_REPLY_TYPE_ERROR,
  NBD_REPLY_TYPE_OFFSET_DATA,
  NBD_REPLY_TYPE_OFFSET_HOLE,
  NBD_REQUEST_BYTES,
  NBD_REQUEST_MAGIC,
  NBD_SIMPLE_REPLY_BYTES,
  NBD_SIMPLE_REPLY_MAGIC,
  NBD_STRUCTURED_REPLY_BYTES,
  NBD_STRUCTURED_REPLY_MAGIC,
  NBDMAGIC,
} from '../../../src/targets/nbd/protocol/numbers.ts';

const NONE = new Uint8Array(0);

export interface NbdRequest {
  readonly flags: number;
  readonly command: number;
  readonly cookie: bigint;
  readonly offset: bigint;
  readonly length: number;
}

/** null for bytes that are no request. */
export function decodeRequest(bytes: Uint8Array, at = 0): NbdRequest | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, NBD_REQUEST_BYTES);
  if (view.getUint32(0) !== NBD_REQUEST_MAGIC) return null;
  return {
    flags: view.getUint16(4),
    command: view.getUint16(6),
    cookie: view.getBigUint64(8),
    offset: view.getBigUint64(16),
    length: view.getUint32(24),
  };
}

/** A simple reply; the data of a read that succeeded follows it. */
export function encodeSimpleReply(cookie: bigint, error = 0, data: Uint8Array = NONE): Buffer {
  const header = Buffer.alloc(NBD_SIMPLE_REPLY_BYTES);
  header.writeUInt32BE(NBD_SIMPLE_REPLY_MAGIC, 0);
  header.writeUInt32BE(error, 4);
  header.writeBigUInt64BE(cookie, 8);
  return Buffer.concat([header, data]);
}

/** One chunk of a structured reply. `length` may be another one than that of the payload. */
export function encodeChunk(
  cookie: bigint,
  type: number,
  flags: number,
  payload: Uint8Array = NONE,
  length = payload.length,
): Buffer {
  const header = Buffer.alloc(NBD_STRUCTURED_REPLY_BYTES);
  header.writeUInt32BE(NBD_STRUCTURED_REPLY_MAGIC, 0);
  header.writeUInt16BE(flags, 4);
  header.writeUInt16BE(type, 6);
  header.writeBigUInt64BE(cookie, 8);
  header.writeUInt32BE(length, 16);
  return Buffer.concat([header, payload]);
}

/** A piece of a read's data. `offset` is one of the export, not of the request. */
export function encodeDataChunk(cookie: bigint, flags: number, offset: bigint, data: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeBigUInt64BE(offset);
  return encodeChunk(cookie, NBD_REPLY_TYPE_OFFSET_DATA, flags, Buffer.concat([head, data]));
}

/** A piece of a read that is all zeroes. */
export function encodeHoleChunk(cookie: bigint, flags: number, offset: bigint, length: number): Buffer {
  const payload = Buffer.alloc(12);
  payload.writeBigUInt64BE(offset);
  payload.writeUInt32BE(length, 8);
  return encodeChunk(cookie, NBD_REPLY_TYPE_OFFSET_HOLE, flags, payload);
}

export function encodeErrorChunk(cookie: bigint, flags: number, error: number, text = ''): Buffer {
  const words = Buffer.from(text);
  const head = Buffer.alloc(6);
  head.writeUInt32BE(error);
  head.writeUInt16BE(words.length, 4);
  return encodeChunk(cookie, NBD_REPLY_TYPE_ERROR, flags, Buffer.concat([head, words]));
}

export function encodeGreeting(flags = NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES): Buffer {
  const bytes = Buffer.alloc(18);
  bytes.writeBigUInt64BE(NBDMAGIC, 0);
  bytes.writeBigUInt64BE(IHAVEOPT, 8);
  bytes.writeUInt16BE(flags, 16);
  return bytes;
}

export function encodeOptionReply(option: number, type: number, payload: Uint8Array = NONE): Buffer {
  const header = Buffer.alloc(20);
  header.writeBigUInt64BE(NBD_REP_MAGIC, 0);
  header.writeUInt32BE(option, 8);
  header.writeUInt32BE(type, 12);
  header.writeUInt32BE(payload.length, 16);
  return Buffer.concat([header, payload]);
}

export function encodeExportInfo(option: number, bytes: bigint, flags = NBD_FLAG_HAS_FLAGS): Buffer {
  const payload = Buffer.alloc(12);
  payload.writeUInt16BE(NBD_INFO_EXPORT, 0);
  payload.writeBigUInt64BE(bytes, 2);
  payload.writeUInt16BE(flags, 10);
  return encodeOptionReply(option, NBD_REP_INFO, payload);
}

export function encodeBlockSizeInfo(option: number, minimum: number, preferred: number, maximum: number): Buffer {
  const payload = Buffer.alloc(14);
  payload.writeUInt16BE(NBD_INFO_BLOCK_SIZE, 0);
  payload.writeUInt32BE(minimum, 2);
  payload.writeUInt32BE(preferred, 6);
  payload.writeUInt32BE(maximum, 10);
  return encodeOptionReply(option, NBD_REP_INFO, payload);
}

export interface Option {
  readonly option: number;
  readonly data: Buffer;
}

/** The options in what a client has sent after its four bytes of flags. */
export function decodeOptions(bytes: Uint8Array): Option[] {
  const all = Buffer.from(bytes);
  const options: Option[] = [];
  for (let at = 4; at < all.length; ) {
    const length = all.readUInt32BE(at + 12);
    options.push({ option: all.readUInt32BE(at + 8), data: all.subarray(at + 16, at + 16 + length) });
    at += 16 + length;
  }
  return options;
}
