/** One connection to a server: one request, one answer. */
import type { Socket } from 'node:net';
import type { UblkError } from '../errors.ts';
import { connectAndSend } from './connect.ts';
import { isWholeAnswer } from './frame.ts';
import { isUnloadable } from '../native/libc/ffi-rs.ts';
import { endWhenSilent, isSilence, type Patience } from './silence.ts';

export interface Exchange extends Patience {
  /** The socket of the server. */
  readonly path: string;
  readonly request: Buffer;
  /** A descriptor that is sent with the request and stays the caller's. */
  readonly fd?: number | undefined;
  /** Ends the connection; the server may go on with the request. */
  readonly signal?: AbortSignal | undefined;
  /** The error of a connection that could not be made or that broke. */
  readonly failed: (cause: NodeJS.ErrnoException) => UblkError;
}

/** The bytes of the answer; fewer if the connection has broken in the middle of it. */
export async function exchange({ path, request, fd, signal, failed, ...patience }: Exchange): Promise<Buffer> {
  let answer: Buffer = Buffer.alloc(0);
  let giveUp: (() => void) | undefined;
  try {
    const connection = connectAndSend(path, request, fd === undefined ? [] : [fd]);
    const { socket } = connection;
    giveUp = () => socket.destroy(signal?.reason as Error);
    signal?.addEventListener('abort', giveUp, { once: true });
    endWhenSilent(connection, patience);
    await received(socket, (chunk) => {
      answer = answer.length === 0 ? chunk : Buffer.concat([answer, chunk]);
      return isWholeAnswer(answer);
    });
  } catch (error) {
    signal?.throwIfAborted();
    // Whoever decodes a part of an answer finds that it was cut short.
    if (answer.length === 0)
      throw isSilence(error) || isUnloadable(error) ? error : failed(error as NodeJS.ErrnoException);
  } finally {
    if (giveUp !== undefined) signal?.removeEventListener('abort', giveUp);
  }
  return answer;
}

/**
 * Resolves when `take` has returned true for what has come, or when the server has closed the connection. A loop over the stream
 * would take five million instructions more, and so would waiting for its end when the answer is there.
 */
function received(socket: Socket, take: (chunk: Buffer) => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.on('data', (chunk: Buffer) => {
    if (!take(chunk)) return;
    socket.destroy();
    resolve();
  });
  socket.on('error', reject);
  socket.on('close', () => resolve());
  return promise;
}
