/** Starts the TLS thread of a queue thread (main.ts) with the first connection, and opens tunnels in it. */
import { closeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { UblkError } from '../../../errors.ts';
import { THREAD_LIMITS } from '../../../native/thread-limits.ts';
import { packagePath } from '../../../package-root.ts';
import { decodeError } from '../../../protocol/error-wire.ts';
import { serverLog } from '../../log.ts';
import type { DropTunnel, OpenTunnel, TunnelMessage } from './messages.ts';
import type { Tunnel, TunnelRequest } from './tunnel.ts';

/** Opens tunnels: either in this process, if it has an event loop, or in a TLS thread. */
export interface Tunnels {
  readonly open: (request: TunnelRequest) => Promise<Tunnel>;
  /** Is told why TLS has ended a connection that was in use. */
  readonly lost: (error: UblkError) => void;
}

/** How long the last data may take to reach the server when the thread ends. */
const END_MS = 1_000;

interface Entry {
  readonly opened: PromiseWithResolvers<Tunnel>;
  readonly closed: PromiseWithResolvers<UblkError | null>;
}

export class TlsThread implements Tunnels {
  private worker: Worker | undefined;
  private isEnded = false;
  private next = 0;
  private readonly entries = new Map<number, Entry>();

  async open(request: TunnelRequest): Promise<Tunnel> {
    if (this.isEnded) {
      closeSync(request.fd);
      throw new UblkError('the device is gone', { code: 'ECANCELED', kind: 'failed' });
    }
    this.worker ??= this.start();
    const id = this.next++;
    const entry: Entry = { opened: Promise.withResolvers(), closed: Promise.withResolvers() };
    this.entries.set(id, entry);
    // While nobody waits for its answer, it does not keep the queue thread from ending.
    this.worker.ref();
    try {
      this.worker.postMessage({ id, ...request } satisfies OpenTunnel);
      return await entry.opened.promise;
    } finally {
      this.worker?.unref();
    }
  }

  lost(error: UblkError): void {
    serverLog(`TLS has ended a connection: ${error.message}`);
  }

  /**
   * Ends the thread. The plain ends of its tunnels must be closed. The server has END_MS to take the end of each
   * connection.
   */
  async end(): Promise<void> {
    const { worker } = this;
    this.isEnded = true;
    if (worker === undefined) return;
    worker.ref();
    const all = [...this.entries.values()].map(({ closed }) => closed.promise);
    await Promise.race([Promise.all(all), sleep(END_MS)]);
    await worker.terminate();
  }

  private start(): Worker {
    const worker = new Worker(packagePath('dist/targets/nbd/tls/main.cjs'), {
      trackUnmanagedFds: false,
      resourceLimits: THREAD_LIMITS,
    });
    worker.on('message', (message: TunnelMessage) => this.received(message));
    worker.on('error', (error) => this.failed(worker, `the TLS thread failed: ${error.message}`));
    worker.on('exit', () => this.failed(worker, 'the TLS thread has ended'));
    return worker;
  }

  private received(message: TunnelMessage): void {
    const entry = this.entries.get(message.id);
    if (message.kind === 'open') {
      const drop = (): void => this.worker?.postMessage({ drop: message.id } satisfies DropTunnel);
      entry?.opened.resolve({ fd: message.fd, closed: entry.closed.promise, drop });
      return;
    }
    this.entries.delete(message.id);
    if (message.kind === 'refused') entry?.opened.reject(decodeError(message.error));
    else entry?.closed.resolve(message.error === null ? null : decodeError(message.error));
  }

  /** The thread has ended, and its sockets are closed with it. The next connection starts another thread. */
  private failed(worker: Worker, message: string): void {
    // It ends after its error, and the next thread may have been started in between.
    if (this.worker !== worker) return;
    this.worker = undefined;
    const error = new UblkError(message, { code: 'INTERNAL', kind: 'failed' });
    for (const { opened, closed } of this.entries.values()) {
      opened.reject(error);
      closed.resolve(error);
    }
    this.entries.clear();
  }
}
