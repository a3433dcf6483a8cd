/**
 * Connects to a server's socket and sends a request at once, so that a server which waits for it only for a moment has it
 * when it accepts the connection, however busy the event loop of this process is. It also sends descriptors, which Node cannot.
 */
import { Socket } from 'node:net';
import { closeDescriptor } from '../native/libc/calls.ts';
import { connectUnix, MessageBuffer, peerCredentials } from '../native/libc/unix-socket.ts';

export interface Connection {
  readonly socket: Socket;
  /** The process that listens; 0 when it is not in a pid namespace that this process sees. */
  readonly pid: number;
}

/** Throws an error with the code of the system call that failed; EAGAIN: too many others are waiting to be accepted. */
export function connectAndSend(path: string, request: Buffer, fds: readonly number[] = []): Connection {
  const connection = connectUnix(path, false);
  try {
    const { pid } = peerCredentials(connection);
    send(connection, request, fds);
    return { socket: new Socket({ fd: connection }), pid };
  } catch (error) {
    closeDescriptor(connection);
    throw error;
  }
}

function send(connection: number, request: Buffer, fds: readonly number[]): void {
  const message = new MessageBuffer(request.length);
  try {
    message.send(connection, request, fds);
  } finally {
    message.close();
  }
}
