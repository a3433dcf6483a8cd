/** Ends a connection to a server that does not answer, and says why: its time is over, or its process is paused. */
import { milliseconds } from '../clock.ts';
import { UblkError } from '../errors.ts';
import { describePause, describeThaw, isPaused, type PausedState } from '../record/paused.ts';
import { processState } from '../record/process-state.ts';
import { LOOK_MS, STOPPED_MS, StoppedLooks } from '../record/stopped-looks.ts';
import type { Connection } from './connect.ts';

export interface Patience {
  /** The server as a message names it: "the server main", "the server of device 3". */
  readonly server: string;
  /** The id of the device that the question is about; left out where it is about the server. */
  readonly device?: number;
  readonly timeoutMs: number;
}

/** Destroys the socket with an error of code TIMEOUT. The function that is returned is called when the server has answered. */
export function endWhenSilent({ socket, serverPid }: Connection, patience: Patience): () => void {
  const looks = new StoppedLooks();
  const began = milliseconds();
  const timer = setInterval(() => {
    if (socket.destroyed) return;
    const pid = serverPid();
    const stoppedMs = looks.look(pid);
    if (stoppedMs >= Math.min(STOPPED_MS, patience.timeoutMs)) socket.destroy(paused(patience, pid));
    else if (milliseconds() - began >= patience.timeoutMs) socket.destroy(silent(patience));
  }, LOOK_MS);
  const stop = (): void => clearInterval(timer);
  socket.once('close', stop);
  return stop;
}

export function isSilence(error: unknown): error is UblkError {
  return error instanceof UblkError && error.code === TIMEOUT;
}

const TIMEOUT = 'TIMEOUT';

function paused(patience: Patience, pid: number): UblkError {
  const now = processState(pid);
  const state: PausedState = isPaused(now) ? now : 'stopped';
  return failure(patience, {
    message: `${patience.server} (pid ${pid}) ${describePause(state)} and does not answer`,
    hint: describeThaw(pid, state),
  });
}

function silent(patience: Patience): UblkError {
  return failure(patience, { message: `${patience.server} did not answer within ${patience.timeoutMs / 1000} s` });
}

function failure({ device }: Patience, { message, hint }: { message: string; hint?: string }): UblkError {
  return new UblkError(message, {
    code: TIMEOUT,
    kind: 'busy',
    command: 'recv',
    ...(device === undefined ? {} : { device }),
    ...(hint === undefined ? {} : { hint }),
  });
}
