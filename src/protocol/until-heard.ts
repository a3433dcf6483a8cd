/** Sends a request again that the server has not taken. */
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds } from '../clock.ts';
import { UblkError } from '../errors.ts';

/**
 * The codes that mean that the server has not taken the request: it has as many connections as it can have (EBUSY), or
 * as many others as there can be wait for it to accept theirs (EAGAIN), or this process was too slow for the server's
 * time limit, as can happen on an overloaded machine (ETIMEDOUT is the server's answer then, and EPIPE what sending
 * meets after the server has closed).
 */
export const UNHEARD: ReadonlySet<string> = new Set(['EBUSY', 'EAGAIN', 'ETIMEDOUT', 'EPIPE']);

const PATIENCE_MS = 30_000;
const PAUSE_MS = 50;

/**
 * Calls `send` until the server has taken the request, for 30 seconds at most, and throws its last error then. `send`
 * must not throw the error that a server has answered a request with, because its code may be one of these.
 */
export async function untilHeard<T>(send: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (const began = milliseconds(); ; ) {
    try {
      return await send();
    } catch (error) {
      const isUnheard = error instanceof UblkError && UNHEARD.has(error.code);
      if (!isUnheard || milliseconds() - began > PATIENCE_MS) throw error;
    }
    await sleep(PAUSE_MS, undefined, { signal });
  }
}
