/** Asks a device's server something from another process: one connection, one request, one answer. */
import { closeSync } from 'node:fs';
import { connect, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { UblkError } from '../errors.ts';
import { connectUnix, MessageBuffer } from '../native/libc/unix-socket.ts';
import { errnoName, errnoText } from '../native/uapi/errno.ts';
import { type Answers, encodeRequest, type Request } from './buffer-requests.ts';
import { decodeError } from './error-wire.ts';
import { decodeAnswer } from './frame.ts';

/** Longer than the server takes to answer that it needs more time. */
const ANSWER_MS = 40_000;

/**
 * Errors that mean that the server has not taken the request: it was busy, or this process was too slow for the server's
 * time limit, as can happen on an overloaded machine.
 */
const UNHEARD: ReadonlySet<string> = new Set(['EBUSY', 'ETIMEDOUT', 'EPIPE']);
const TRIES = 5;

/** `fd` is sent with the request and stays the caller's. */
export async function askServer<R extends Request>(
  path: string,
  device: number,
  request: R,
  fd?: number,
): Promise<Answers[R['op']]> {
  for (let tries = 1; ; tries++) {
    try {
      return valueOf(await exchange(path, device, encodeRequest(request), fd), device) as Answers[R['op']];
    } catch (error) {
      if (tries === TRIES || !(error instanceof UblkError) || !UNHEARD.has(error.code)) throw error;
    }
    await sleep(tries * 100);
  }
}

/** The value of an answer; throws its error. */
function valueOf(bytes: Buffer, device: number): Answers[keyof Answers] {
  const answer = decodeAnswer(bytes);
  if (typeof answer === 'number') throw turnedAway(device, answer);
  if (!answer.ok) throw decodeError(answer.error);
  return answer.value as Answers[keyof Answers];
}

async function exchange(path: string, device: number, request: Buffer, fd: number | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    const socket = fd === undefined ? connect(path) : connectAndSend(path, request, fd);
    socket.setTimeout(ANSWER_MS, () => socket.destroy(silent(device)));
    if (fd === undefined) socket.write(request);
    for await (const chunk of socket) chunks.push(chunk as Buffer);
  } catch (error) {
    // A complete answer counts, however the connection ended.
    if (chunks.length === 0) throw failure(device, error as NodeJS.ErrnoException);
  }
  return Buffer.concat(chunks);
}

/** Node cannot send descriptors, so the request is sent by sendmsg; Node reads the answer. */
function connectAndSend(path: string, request: Buffer, fd: number): Socket {
  const message = new MessageBuffer(request.length);
  const connection = connectUnix(path);
  try {
    message.send(connection, request, [fd]);
    return new Socket({ fd: connection });
  } catch (error) {
    closeSync(connection);
    throw error;
  } finally {
    message.close();
  }
}

function turnedAway(device: number, status: number): UblkError {
  return new UblkError(`the server of device ${device} turned the request away: ${errnoText(-status)}`, {
    code: errnoName(-status),
    device,
    command: 'recv',
  });
}

function silent(device: number): UblkError {
  return new UblkError(`the server of device ${device} did not answer within ${ANSWER_MS / 1000} s`, {
    code: 'TIMEOUT',
    device,
    command: 'recv',
  });
}

function failure(device: number, cause: NodeJS.ErrnoException): UblkError {
  const code = cause.code ?? 'EIO';
  if (code === 'TIMEOUT' && cause instanceof UblkError) return cause;
  const gone = code === 'ENOENT' || code === 'ECONNREFUSED';
  return new UblkError(
    gone ? `device ${device} has no server now` : `cannot ask the server of device ${device}: ${code}`,
    {
      code,
      device,
      command: 'connect',
      hint: gone ? `\`ublkts recover -n ${device}\` gives it one` : 'only root may ask it',
      cause,
    },
  );
}
