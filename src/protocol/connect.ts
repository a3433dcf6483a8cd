/**
 * Connects to a server's socket and sends a request at once, so that a server which waits for it only for a moment has it
 * when it accepts the connection, however busy the event loop of this process is. It also sends descriptors, which Node cannot.
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { connectUnix, MessageBuffer } from '../native/libc/unix-socket.ts';

/** Throws an error with the code of the system call that failed; EAGAIN: too many others are waiting to be accepted. */
export function connectAndSend(path: string, request: Buffer, fds: readonly number[] = []): Socket {
  const message = new MessageBuffer(request.length);
  const connection = connectUnix(path, false);
  try {
    message.send(connection, request, fds);
    return new Socket({ fd: connection });
  } catch (error) {
    closeSync(connection);
    throw error;
  } finally {
    message.close();
  }
}
