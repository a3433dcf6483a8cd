/** Asks the server of a device something, as a command does: it says what it waits for, and can be given up. */
import { bounded, type WaitOptions } from '../control/waiting.ts';
import { UblkError } from '../errors.ts';
import { type Asked, type AnswerTo, askServer } from '../protocol/ask.ts';

export interface Question<R extends Asked> {
  readonly device: number;
  /** The process id of the server, for messages, where it is sure to be this one. */
  readonly pid?: number | undefined;
  /** The socket of the server that takes this request. */
  readonly socket: string;
  readonly request: R;
  /** Is sent with the request, and stays the caller's. */
  readonly fd?: number | undefined;
  /** The text that `onWaiting` gets: what the caller waits for. */
  readonly waitsFor: string;
}

/** Without `timeoutMs`, the protocol's own bound holds. Nothing of a question that is given up keeps the process. */
export async function askServerOf<R extends Asked>(
  { device, pid, socket, request, fd, waitsFor }: Question<R>,
  { signal, onWaiting, timeoutMs = Infinity }: WaitOptions,
): Promise<AnswerTo<R>> {
  signal?.throwIfAborted();
  onWaiting?.(waitsFor);
  const over = new AbortController();
  const asked = askServer(socket, device, request, { fd, signal: over.signal });
  try {
    return await bounded(asked, { signal, timeoutMs, late: () => silentServer(device, pid, timeoutMs) });
  } finally {
    over.abort();
  }
}

function silentServer(device: number, pid: number | undefined, timeoutMs: number): UblkError {
  const server = `the server of device ${device}${pid === undefined ? '' : ` (pid ${pid})`}`;
  return new UblkError(`${server} did not answer within ${timeoutMs / 1000} s`, {
    code: 'TIMEOUT',
    kind: 'busy',
    device,
    command: 'recv',
    hint: `\`ublkts list -n ${device}\` shows its state`,
  });
}
