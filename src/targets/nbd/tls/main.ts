/**
 * The entry point of a TLS thread: it encrypts and decrypts for one queue thread, which sleeps in its ring and has no event
 * loop meanwhile. A queue thread has one for as long as it lives, and each connection gets a tunnel in it.
 */
import { parentPort } from 'node:worker_threads';
import { getAffinity, setAffinity, setThreadName } from '../../../native/libc/calls.ts';
import { encodeError } from '../../../protocol/error-wire.ts';
import type { DropTunnel, OpenTunnel, TunnelMessage } from './messages.ts';
import { openTunnel } from './tunnel.ts';

/** How each open tunnel is dropped, by its id. */
const drops = new Map<number, () => void>();

function say(message: TunnelMessage): void {
  parentPort?.postMessage(message);
}

async function serve({ id, ...request }: OpenTunnel): Promise<void> {
  try {
    const { fd, closed, drop } = await openTunnel(request);
    drops.set(id, drop);
    say({ kind: 'open', id, fd });
    const error = await closed;
    drops.delete(id);
    say({ kind: 'closed', id, error: error === null ? null : encodeError(error) });
  } catch (error) {
    say({ kind: 'refused', id, error: encodeError(error) });
  }
}

setThreadName('ublk-tls');
// A queue thread is bound to the CPUs of its queue. This thread works at the same time, so it may use any.
setAffinity(getAffinity(process.pid));
parentPort?.on('message', (message: OpenTunnel | DropTunnel) => {
  if ('drop' in message) drops.get(message.drop)?.();
  else void serve(message);
});
