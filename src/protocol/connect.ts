/**
 * Connects to a server's socket and sends a request at once, so that a server which waits for it only for a moment has it
 * when it accepts the connection, however busy the event loop of this process is. It also sends descriptors, which Node cannot.
 */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { closeDescriptor, systemError } from '../native/libc/calls.ts';
import { connectUnix, MessageBuffer, peerCredentials } from '../native/libc/unix-socket.ts';

export interface Connection {
  readonly socket: Socket;
  /**
   * Returns the id of the process that listens; 0 when it is not in a pid namespace that this process sees. The socket must not be
   * destroyed, because the kernel is asked about it.
   */
  readonly serverPid: () => number;
}

/** Throws an error with the code of the system call that failed; EAGAIN: too many others are waiting to be accepted. */
export function connectAndSend(path: string, request: Buffer, fds: readonly number[] = []): Connection {
  const connection = connectUnix(path, false);
  try {
    if (fds.length === 0) write(connection, request);
    else send(connection, request, fds);
    return { socket: new Socket({ fd: connection }), serverPid: () => peerCredentials(connection).pid };
  } catch (error) {
    closeDescriptor(connection);
    throw error;
  }
}

/** Does what `send` does for a request without descriptors, in one call instead of four. */
function write(connection: number, request: Buffer): void {
  const written = writeSync(connection, request);
  if (written !== request.length) throw systemError('write', 0, `took ${written} of ${request.length} bytes`);
}

function send(connection: number, request: Buffer, fds: readonly number[]): void {
  const message = new MessageBuffer(request.length);
  try {
    message.send(connection, request, fds);
  } finally {
    message.close();
  }
}
