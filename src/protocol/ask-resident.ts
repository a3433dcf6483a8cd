/** Asks a resident server something from another process. */
import { setTimeout as sleep } from 'node:timers/promises';
import { UblkError } from '../errors.ts';
import { errnoName, errnoText } from '../native/uapi/errno.ts';
import { residentFiles } from '../record/files.ts';
import { isServerLockHeld } from '../record/server-lock.ts';
import { decodeError } from './error-wire.ts';
import { exchange } from './exchange.ts';
import { type Answer, decodeAnswer } from './frame.ts';
import { encodeResidentRequest, type ResidentAnswers, type ResidentRequest } from './resident-requests.ts';
import { untilHeard } from './until-heard.ts';

/** Longer than any wait inside the server, so that the server itself says what it waited for. */
export const ANSWER_MS = 150_000;
/** How long the kernel may take to end a process that has closed its connections. */
const ENDS_MS = 1_000;
const LOOK_MS = 20;

export interface ResidentServer {
  readonly name: string;
  /** Its socket. */
  readonly path: string;
}

export async function askResident<R extends ResidentRequest>(
  server: ResidentServer,
  request: R,
  signal?: AbortSignal,
): Promise<ResidentAnswers[R['op']]> {
  const answer = await untilHeard(() => askOnce(server, request, signal), signal);
  if (!answer.ok) throw decodeError(answer.error);
  return answer.value as ResidentAnswers[R['op']];
}

async function askOnce(
  { name, path }: ResidentServer,
  request: ResidentRequest,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const asked = exchange({
    path,
    request: encodeResidentRequest(request),
    signal,
    server: `the server ${name}`,
    timeoutMs: ANSWER_MS,
    failed: (cause) => failure(name, cause),
  });
  const answer = await asked.then(decodeAnswer).catch(async (error: unknown) => {
    throw (error as UblkError).code === 'ECONNRESET' && (await hasEnded(name)) ? died(name, error) : error;
  });
  if (typeof answer === 'number') throw turnedAway(name, answer);
  return answer;
}

/** Whether the process of a server that cannot be asked any more has ended, or ends now. */
export async function hasEnded(name: string): Promise<boolean> {
  for (let waited = 0; isServerLockHeld(residentFiles(name).lock); waited += LOOK_MS) {
    if (waited >= ENDS_MS) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

/** The hint of an error that says that a resident server has died. */
export const DIED_HINT =
  '`ublkts list` shows which devices it had, and `ublkts recover -a` gives those that can be recovered a new server; `dmesg` may say why it ended';

function died(name: string, cause: unknown): UblkError {
  return new UblkError(`the server ${name} has ended before it answered`, {
    code: SERVER_DIED,
    kind: 'failed',
    hint: DIED_HINT,
    cause,
  });
}

/** Whether the error means that there is no such server now: there was none, or it has ended before it answered. */
export function isGone(error: unknown): boolean {
  return error instanceof UblkError && (error.code === NO_SERVER || error.code === SERVER_DIED);
}

const NO_SERVER = 'NO_SERVER';
const SERVER_DIED = 'SERVER_DIED';

export function turnedAway(name: string, status: number): UblkError {
  return new UblkError(`the server ${name} turned the request away: ${errnoText(-status)}`, {
    code: errnoName(-status),
    command: 'recv',
  });
}

/** The error of a connection that could not be made or that broke. */
export function failure(name: string, cause: NodeJS.ErrnoException): UblkError {
  const code = cause.code ?? 'EIO';
  if (code !== 'ENOENT' && code !== 'ECONNREFUSED') {
    return new UblkError(`cannot ask the server ${name}: ${code}`, { code, command: 'connect', cause });
  }
  return noServer(name, cause);
}

export function noServer(name: string, cause?: Error): UblkError {
  return new UblkError(`no server named ${name} is running`, {
    code: NO_SERVER,
    command: 'connect',
    hint: `start it: \`ublkts serve --name ${name}\``,
    ...(cause === undefined ? {} : { cause }),
  });
}
