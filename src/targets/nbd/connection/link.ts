/**
 * Makes a lost connection again: at once, then with growing pauses, for as long as the device lives. A connection that is
 * lost again soon after it was made counts as a failed attempt. It runs in the event loop of its queue thread.
 */
import { serverLog } from '../../log.ts';
import { Backoff } from '../backoff.ts';
import { connectNbd } from './connect.ts';
import { differenceOf, type Needs } from './difference.ts';
import type { NbdExport } from '../handshake/export.ts';
import { chooseExport } from '../handshake/negotiate.ts';
import type { NbdOptions } from '../options.ts';
import { NBD_FLAG_SEND_FLUSH } from '../protocol/numbers.ts';
import { leave } from '../transmission/goodbye.ts';
import type { Tunnels } from '../tls/thread.ts';
import { formatNbdUri } from '../uri.ts';

/** A connection that was up for at least this time counts as a good one. */
const GOOD_MS = 2_000;
/** How often the log says that there is still no connection. */
const REMIND_MS = 60_000;
/** Requests that have waited for at least this time are reported. */
const LATE_MS = 30_000;

const UNSTORED =
  'is lost while the device has acknowledged writes that no client has flushed since: if the server itself has ended, ' +
  'and not only the connection, those that it had not stored are lost';

export interface Connection {
  readonly fd: number;
  /** See Connected. */
  readonly drop: (() => void) | null;
  readonly export: NbdExport;
  readonly structured: boolean;
}

export interface LinkOptions extends NbdOptions {
  readonly tunnels: Tunnels;
  /** The export that the device was made of. */
  readonly export: NbdExport;
  readonly needs: Needs;
  /** Names the connection in the log. */
  readonly thread: number;
  /** See QueueContext. */
  readonly deviceBytes: () => number | null;
  readonly onConnected: (connection: Connection) => void;
  /**
   * Returns since when the request that has waited longest has waited for a lost server, on the clock of
   * performance.now(); Infinity: no request waits.
   */
  readonly oldestLoss: () => number;
  /** Lets the requests fail that have waited since that time or longer. Returns how many. */
  readonly onOverdue: (since: number) => number;
  /** The time for which requests wait is over: all fail until there is a connection. Attempts go on. */
  readonly onGivenUp: () => void;
  /**
   * Is called repeatedly while no connection has answered a request for half a minute or more. `sinceMs`: since when,
   * in milliseconds since 1970.
   */
  readonly onLate: (sinceMs: number) => void;
}

export class Link {
  private readonly options: LinkOptions;
  private readonly uri: string;
  private readonly backoff = new Backoff();
  private retry: NodeJS.Timeout | undefined;
  private patience: NodeJS.Timeout | undefined;
  private madeAt = performance.now();
  private lostAt = 0;
  /** A request has been answered on the connection. */
  private isProven = true;
  /** When the log last said why there is still no connection, and what it said. */
  private saidAt = 0;
  private saidReason = '';
  /** Ends the attempt that is under way. */
  private readonly closing = new AbortController();

  constructor(options: LinkOptions) {
    this.options = options;
    this.uri = formatNbdUri(options.uri);
  }

  /**
   * The connection is lost, for this reason. `isUnstored`: see Unstored. `wasWaiting`: requests of the last outage have had
   * no reply on it.
   */
  lost(
    reason: string,
    { isUnstored, wasWaiting }: { readonly isUnstored: boolean; readonly wasWaiting: boolean },
  ): void {
    const { reconnectSeconds, export: before } = this.options;
    this.say(`is lost: ${reason}; requests wait${reconnectSeconds === 0 ? '' : ` for ${reconnectSeconds} s`}`);
    if (isUnstored && (before.flags & NBD_FLAG_SEND_FLUSH) !== 0) this.say(UNSTORED);
    const now = performance.now();
    const wasGood = this.isGood;
    // The wait began when the last connection that answered a request was lost.
    if (this.isProven || (wasGood && !wasWaiting)) this.lostAt = now;
    this.saidReason = '';
    if (wasGood) this.backoff.reset();
    this.setDeadline();
    this.remind(now);
    this.attemptLater();
  }

  /** Whether the connection has been up for long enough that a new one would not be lost for the same reason at once. */
  get isGood(): boolean {
    return performance.now() - this.madeAt >= GOOD_MS;
  }

  /** A request has been answered on the connection that was made last. */
  proven(): void {
    this.isProven = true;
  }

  /** There are no more attempts. The socket of one that is under way is closed at the end of this turn of the loop. */
  close(): void {
    this.closing.abort();
    clearTimeout(this.retry);
    clearTimeout(this.patience);
  }

  private attempt(): void {
    const { uri, structured, tunnels } = this.options;
    const choose = (greeted?: number) => chooseExport({ exportName: uri.exportName, structured }, greeted);
    connectNbd(uri, choose, { tunnels, signal: this.closing.signal }).then(
      ({ fd, drop, result }) => this.connected({ fd, drop, ...result }),
      (error: unknown) => this.failed(error instanceof Error ? error.message : String(error)),
    );
  }

  private connected(connection: Connection): void {
    if (this.isClosed) {
      leave(connection.fd);
      return;
    }
    const difference = differenceOf(this.before(), connection.export, this.options.needs);
    if (difference !== null) {
      leave(connection.fd);
      this.failed(`its export does not fit the device: ${difference}`);
      return;
    }
    clearTimeout(this.patience);
    this.isProven = false;
    this.madeAt = performance.now();
    this.say(`is back after ${Math.round((performance.now() - this.lostAt) / 100) / 10} s`);
    this.options.onConnected(connection);
  }

  private get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  /** What the device was made of, with the size that the device has now: `update_size` may have changed it. */
  private before(): NbdExport {
    const { export: before, deviceBytes } = this.options;
    return { ...before, bytes: deviceBytes() ?? before.bytes };
  }

  private failed(reason: string): void {
    if (this.isClosed) return;
    const now = performance.now();
    if (reason !== this.saidReason || now - this.saidAt >= REMIND_MS) {
      this.say(`is not back yet: ${reason}`);
      this.saidAt = now;
      this.saidReason = reason;
    }
    this.remind(now);
    this.attemptLater();
  }

  private remind(now: number): void {
    const waitedMs = now - Math.min(this.lostAt, this.options.oldestLoss());
    if (waitedMs >= LATE_MS) this.options.onLate(Date.now() - waitedMs);
  }

  /**
   * Sets the timer for the request that has waited longest, which is the next one to fail. When there has been no
   * connection for as long, all requests fail.
   */
  private setDeadline(): void {
    const { reconnectSeconds, oldestLoss } = this.options;
    if (reconnectSeconds === 0) return;
    const when = Math.min(this.lostAt, oldestLoss()) + reconnectSeconds * 1000;
    this.patience = setTimeout(() => this.failLate(), Math.max(0, when - performance.now()));
  }

  private failLate(): void {
    const { reconnectSeconds, onGivenUp, onOverdue } = this.options;
    const since = performance.now() - reconnectSeconds * 1000;
    if (this.lostAt <= since) {
      this.say(`was not made again within ${reconnectSeconds} s: requests fail until it is`);
      onGivenUp();
      return;
    }
    const failed = onOverdue(since);
    if (failed > 0)
      this.say(
        `was first lost ${reconnectSeconds} s ago and requests that were sent on it have had no answer since: ${failed} of them fail`,
      );
    this.setDeadline();
  }

  private attemptLater(): void {
    this.retry = setTimeout(() => this.attempt(), this.backoff.next());
  }

  private say(what: string): void {
    serverLog(`connection ${this.options.thread} to ${this.uri} ${what}`);
  }
}
