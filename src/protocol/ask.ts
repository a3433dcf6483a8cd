/** Asks a device's server something from another process: one connection, one request, one answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { UblkError } from '../errors.ts';
import { errnoName, errnoText } from '../native/uapi/errno.ts';
import { ANSWER_SECONDS } from './answer-limit.ts';
import type { Answers, Request } from './buffer-requests.ts';
import { decodeError } from './error-wire.ts';
import { exchange } from './exchange.ts';
import { type Answer, decodeAnswer, encodeFrame } from './frame.ts';
import type { StorageAnswers, StorageRequest } from './storage-requests.ts';
import { UNHEARD } from './until-heard.ts';

/** Longer than the server takes to answer that it needs more time. */
const ANSWER_MS = (ANSWER_SECONDS + 10) * 1000;

const TRIES = 5;

export type Asked = Request | StorageRequest;

/** The value of a successful answer to a request. */
export type AnswerTo<R extends Asked> = (Answers & StorageAnswers)[R['op']];

export interface AskOptions {
  /** A descriptor that is sent with the request and stays the caller's. */
  readonly fd?: number | undefined;
  /** Ends the connection; the server may go on with the request. */
  readonly signal?: AbortSignal | undefined;
}

export async function askServer<R extends Asked>(
  path: string,
  device: number,
  request: R,
  options: AskOptions = {},
): Promise<AnswerTo<R>> {
  const answer = await answerTo(path, device, encodeFrame(request), options);
  if (!answer.ok) throw decodeError(answer.error);
  return answer.value as AnswerTo<R>;
}

/** Sends a request again that the server has not taken. What it has answered counts, whatever the code of its error is. */
async function answerTo(path: string, device: number, request: Buffer, options: AskOptions): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    try {
      const bytes = await exchange({
        path,
        request,
        ...options,
        server: `the server of device ${device}`,
        device,
        timeoutMs: ANSWER_MS,
        failed: (cause) => failure(device, cause),
      });
      const answer = decodeAnswer(bytes);
      if (typeof answer === 'number') throw turnedAway(device, answer);
      return answer;
    } catch (error) {
      if (tries === TRIES || !(error instanceof UblkError) || !UNHEARD.has(error.code)) throw error;
    }
    await sleep(tries * 100, undefined, { signal: options.signal });
  }
}

function turnedAway(device: number, status: number): UblkError {
  return new UblkError(`the server of device ${device} turned the request away: ${errnoText(-status)}`, {
    code: errnoName(-status),
    device,
    command: 'recv',
  });
}

function failure(device: number, cause: NodeJS.ErrnoException): UblkError {
  const code = cause.code ?? 'EIO';
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
