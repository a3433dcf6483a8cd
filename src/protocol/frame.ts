/**
 * The frame of a message between two processes: "ubts", version (u16), reserved (u16) and payload length (u32), all
 * little-endian, followed by the payload, which is JSON.
 */
import { UblkError } from '../errors.ts';
import type { WireError } from './error-wire.ts';

export const PROTOCOL_VERSION = 1;
export const HEADER_BYTES = 12;
/**
 * The largest payload of a request. A path has at most 4,096 bytes (PATH_MAX), and JSON writes six for each control character.
 * Answers may be longer, because they are lists.
 */
export const MAX_REQUEST_BYTES = 32 << 10;
export const MAX_ANSWER_BYTES = 1 << 20;
export const MAGIC: Uint8Array = Buffer.from('ubts');

export type Answer<Value = unknown> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: WireError };

export function encodeFrame(content: object): Buffer {
  const payload = Buffer.from(JSON.stringify(content));
  const header = Buffer.alloc(HEADER_BYTES);
  header.set(MAGIC);
  header.writeUInt16LE(PROTOCOL_VERSION, 4);
  header.writeUInt32LE(payload.length, 8);
  return Buffer.concat([header, payload]);
}

export function encodeAnswer(answer: Answer): Buffer {
  return encodeFrame(answer);
}

/** The answer to a request that cannot be understood: an int32, because its sender may know no frames. */
export function encodeStatus(status: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(status);
  return bytes;
}

/** Whether the bytes, which may be the first ones of an answer, are all of it. What is not an answer never is. */
export function isWholeAnswer(bytes: Buffer): boolean {
  if (bytes.length < HEADER_BYTES) return bytes.length === 4 && !isFramed(bytes);
  return isFramed(bytes) && bytes.length === HEADER_BYTES + bytes.readUInt32LE(8);
}

/** A complete answer: the number of kublk's protocol, or a frame's content. Throws when it is neither. */
export function decodeAnswer(bytes: Buffer): number | Answer {
  if (bytes.length === 4) return bytes.readInt32LE();
  if (bytes.length < HEADER_BYTES || !isFramed(bytes)) throw cutShort();
  const length = bytes.readUInt32LE(8);
  if (length > MAX_ANSWER_BYTES || bytes.length !== HEADER_BYTES + length) throw cutShort();
  const answer = parseJson(frameText(bytes.subarray(HEADER_BYTES)));
  if (typeof answer !== 'object' || answer === null || !('ok' in answer)) throw cutShort();
  return answer as Answer;
}

function isFramed(bytes: Buffer): boolean {
  return Buffer.compare(bytes.subarray(0, MAGIC.length), MAGIC) === 0;
}

export function frameText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of a request. Throws a UblkError that says what is wrong with the payload. */
export function parseFields(payload: string): Fields {
  const value = parseJson(payload);
  if (value === undefined) throw badRequest('it is not JSON');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest('it is not an object');
  return value as Fields;
}

export function badRequest(reason: string): UblkError {
  return new UblkError(`the server does not understand the request: ${reason}`, { code: 'EBADMSG', command: 'recv' });
}

export function otherVersion(version: number): UblkError {
  return new UblkError(`the server speaks version ${PROTOCOL_VERSION} of the socket's protocol, not ${version}`, {
    code: 'EPROTONOSUPPORT',
    command: 'recv',
    hint: 'use the ublkts that runs the server',
  });
}

/** A whole number that is not negative. */
export function countField(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw badRequest(`${name} is not a whole number`);
  }
  return value;
}

/** undefined: it is not JSON. */
function parseJson(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}

function cutShort(): UblkError {
  return new UblkError('the server closed the connection in the middle of its answer', {
    code: 'ECONNRESET',
    command: 'recv',
  });
}
