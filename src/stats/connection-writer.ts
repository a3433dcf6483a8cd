/**
 * Publishes a target's connection, on the queue thread that has it: a part of a block of the stats page. Every number is
 * stored in one piece, and none depends on another, so a reader can look at any time. Hot path: it only stores.
 */
import { BlockF64, Connection, CONNECTION_STATES, type ConnectionState } from './layout.ts';

// Constants of this module are compiled into the hot path as numbers; fields of an imported object are not.
const IN_FLIGHT = BlockF64.connection + Connection.inFlight;
const SENT = BlockF64.connection + Connection.sentBytes;
const RECEIVED = BlockF64.connection + Connection.receivedBytes;

export class ConnectionWriter {
  private readonly counters: Float64Array;

  /** `counters` are those of a block: see StatsWriter. */
  constructor(counters: Float64Array) {
    this.counters = counters;
  }

  /** The connection is in this state from now on. Not for the hot path. */
  is(state: ConnectionState): void {
    this.counters[BlockF64.connection + Connection.state] = CONNECTION_STATES.indexOf(state) + 1;
    this.counters[BlockF64.connection + Connection.sinceMs] = Date.now();
  }

  /** Counts a connection that was made again. */
  reconnected(): void {
    this.counters[BlockF64.connection + Connection.reconnects]!++;
  }

  sent(bytes: number): void {
    this.counters[SENT]! += bytes;
  }

  received(bytes: number): void {
    this.counters[RECEIVED]! += bytes;
  }

  /** How many requests wait for a reply. */
  inFlight(requests: number): void {
    this.counters[IN_FLIGHT] = requests;
  }
}
