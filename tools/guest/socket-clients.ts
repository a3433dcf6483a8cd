/** Clients of a device's socket that say exactly what a test wants, however wrong. */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { connectUnix, MessageBuffer } from '../../src/native/libc/unix-socket.ts';
import { decodeAnswer } from '../../src/protocol/frame.ts';

/** Sends `bytes` and `fds`, and returns the server's answer. */
export async function say(
  socketPath: string,
  bytes: Uint8Array,
  fds: readonly number[] = [],
): Promise<ReturnType<typeof decodeAnswer>> {
  const fd = connectUnix(socketPath);
  const message = new MessageBuffer(1 << 20);
  try {
    if (bytes.length > 0) message.send(fd, bytes, fds);
  } finally {
    message.close();
  }
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of new Socket({ fd })) chunks.push(chunk as Buffer);
  } catch (error) {
    // The server closes with what it did not read still there.
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET' || chunks.length === 0) throw error;
  }
  return decodeAnswer(Buffer.concat(chunks));
}

export function closeAll(fds: readonly number[]): void {
  for (const fd of fds) closeSync(fd);
}
