/**
 * The messages on /run/ublkts/N.sock, the socket of a device whose storage is reached over a network or a socket. Its
 * server can be in other namespaces than a command, so the command asks the server, and the server asks the storage. A
 * connection carries one request and one answer, each in a frame (frame.ts); then the server closes it.
 */
import { badRequest, parseFields } from './frame.ts';

/** Asks how large the storage is now. The answer is its size in bytes, or why the storage did not say it. */
export interface StorageRequest {
  readonly op: 'storage-size';
}

/** The value of a successful answer, by the request's `op`. */
export interface StorageAnswers {
  readonly 'storage-size': number;
}

/** Throws a UblkError that says what is wrong with the payload. */
export function parseStorageRequest(payload: string): StorageRequest {
  const { op } = parseFields(payload);
  if (op === 'storage-size') return { op };
  throw badRequest(`there is no request '${String(op)}'`);
}
