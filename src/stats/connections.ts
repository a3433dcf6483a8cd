/** The connections of a target, as the stats page has them, and words for those that are lost. */
import { secondsSince } from './age.ts';
import { Block, BlockF64, Connection, CONNECTION_STATES, type ConnectionState } from './layout.ts';

export interface ConnectionStats {
  /** The queue thread that the connection belongs to. */
  readonly thread: number;
  readonly state: ConnectionState;
  /** When it came into that state, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** How often it was made again. */
  readonly reconnects: number;
  /** Requests that were sent and have no reply yet. */
  readonly inFlight: number;
  /** Bytes that went over the connection and those before it, headers included. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** The connection that a block tells of; null when its target has none. */
export function connectionOf(words: Int32Array, counters: Float64Array): ConnectionStats | null {
  const at = (index: number) => counters[BlockF64.connection + index]!;
  const state = CONNECTION_STATES[at(Connection.state) - 1];
  if (state === undefined) return null;
  return {
    thread: words[Block.threadIndex]!,
    state,
    sinceMs: at(Connection.sinceMs),
    reconnects: at(Connection.reconnects),
    inFlight: at(Connection.inFlight),
    sentBytes: at(Connection.sentBytes),
    receivedBytes: at(Connection.receivedBytes),
  };
}

/** A sentence without its full stop about the connections that are lost; null when none is. `nowMs`: since 1970. */
export function describeLost(connections: readonly ConnectionStats[], nowMs: number): string | null {
  const lost = connections.filter(({ state }) => state !== 'up');
  if (lost.length === 0) return null;
  const seconds = Math.round(secondsSince(Math.min(...lost.map(({ sinceMs }) => sinceMs)), nowMs));
  const what = lost.some(({ state }) => state === 'failing') ? 'fail' : 'wait';
  const which = connections.length === 1 ? 'its connection' : `${lost.length} of its ${connections.length} connections`;
  const verb = lost.length === 1 ? 'has' : 'have';
  return `${which} to the server of the target ${verb} been lost for ${seconds} s: requests ${what}`;
}
