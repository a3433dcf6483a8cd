/** Follows what happens to the devices of a resident server, from another process. */
import { UblkError } from '../errors.ts';
import { isUnloadable } from '../native/libc/ffi-rs.ts';
import { ANSWER_MS, failure, type ResidentServer, turnedAway } from './ask-resident.ts';
import { connectAndSend, type Connection } from './connect.ts';
import { decodeError } from './error-wire.ts';
import { FrameReader, NotAFrame } from './frame-reader.ts';
import { type Answer, badRequest, parseFields } from './frame.ts';
import { encodeResidentRequest, parseResidentEvent, type ResidentEvent } from './resident-requests.ts';
import { endWhenSilent, isSilence } from './silence.ts';
import { untilHeard } from './until-heard.ts';

export interface Followers {
  /** `pid` is the server's. It must not throw: the events that have come with this one would be lost. */
  readonly happened: (event: ResidentEvent, pid: number) => void;
  /**
   * The connection has ended: the server has closed it or has ended, or `stop` was called. Nothing happens afterwards. It is
   * called only for a connection on which the server has answered.
   */
  readonly disconnected: () => void;
}

export interface Following {
  readonly pid: number;
  stop(): void;
}

/** Resolves when the server has answered. The connection keeps this process alive. */
export function followResident(server: ResidentServer, followers: Followers): Promise<Following> {
  return untilHeard(() => followOnce(server, followers));
}

async function followOnce({ name, path }: ResidentServer, { happened, disconnected }: Followers): Promise<Following> {
  const answered = Promise.withResolvers<Following>();
  const reader = new FrameReader();
  const connection = follow(name, path);
  const { socket } = connection;
  const heard = endWhenSilent(connection, { server: `the server ${name}`, timeoutMs: ANSWER_MS });
  let pid: number | null = null;
  /** Returns the event in the payload; null for the answer, and for an event that this version does not know. */
  const hear = (payload: string): ResidentEvent | null => {
    if (pid !== null) return parseResidentEvent(payload);
    heard();
    pid = pidOf(payload);
    answered.resolve({ pid, stop: () => socket.destroy() });
    return null;
  };
  const fail = (error: unknown): void => {
    answered.reject(error);
    socket.destroy();
  };
  const eventsIn = (chunk: Buffer): ResidentEvent[] => {
    try {
      return reader.push(chunk).flatMap((payload) => hear(payload) ?? []);
    } catch (error) {
      fail(error instanceof NotAFrame ? refusal(name, error.bytes) : error);
      return [];
    }
  };
  socket.on('data', (chunk: Buffer) => {
    // Outside the reading: an error of the follower's says nothing about the connection.
    for (const event of eventsIn(chunk)) happened(event, pid ?? 0);
  });
  socket.on('error', (cause: NodeJS.ErrnoException) => fail(isSilence(cause) ? cause : failure(name, cause)));
  socket.on('close', () => {
    answered.reject(cutShort(name));
    if (pid !== null) disconnected();
  });
  return answered.promise;
}

function follow(name: string, path: string): Connection {
  try {
    return connectAndSend(path, encodeResidentRequest({ op: 'follow' }));
  } catch (error) {
    throw isUnloadable(error) ? error : failure(name, error as NodeJS.ErrnoException);
  }
}

/** Throws the error that the server has answered with. */
function pidOf(payload: string): number {
  const answer = parseFields(payload) as Partial<Answer<{ readonly pid?: unknown }>>;
  if (answer.ok === false) throw decodeError(answer.error);
  const pid = answer.ok === true ? answer.value?.pid : undefined;
  if (typeof pid !== 'number') throw badRequest('its answer has no pid');
  return pid;
}

/** What a server sends that turns the client away: an errno. */
function refusal(name: string, bytes: Buffer): UblkError {
  return bytes.length === 4 ? turnedAway(name, bytes.readInt32LE()) : cutShort(name);
}

function cutShort(name: string): UblkError {
  return new UblkError(`the server ${name} closed the connection`, { code: 'ECONNRESET', command: 'recv' });
}
