/** Ends a session in an orderly way. */
import { closeSync, writeSync } from 'node:fs';
import { setBlocking } from '../../../native/libc/stream-socket.ts';
import { NBD_CMD_DISC, NBD_REQUEST_BYTES } from '../protocol/numbers.ts';
import { encodeRequest } from '../protocol/request.ts';

/** Sends NBD_CMD_DISC without waiting. A server that does not read it sees that the socket is closed. */
export function sayGoodbye(fd: number): void {
  const bytes = new Uint8Array(NBD_REQUEST_BYTES);
  encodeRequest(new DataView(bytes.buffer), 0, 0, NBD_CMD_DISC, 0, 0, 0, 0, 0);
  try {
    setBlocking(fd, false);
    writeSync(fd, bytes);
  } catch {
    // The server has gone, or its socket is full.
  }
}

/** Ends a session in which no request was sent, and closes its socket. */
export function leave(fd: number): void {
  sayGoodbye(fd);
  closeSync(fd);
}
