/** What has become of the connections of a device's target between two readings. Pure. */
import { secondsSince } from '../../stats/age.ts';
import type { ConnectionStats } from '../../stats/connections.ts';
import type { DeviceStats } from '../../stats/reader.ts';
import { sameLife } from './spans.ts';

export interface ConnectionChange {
  readonly kind: 'connection lost' | 'connection back';
  readonly severity: 'good' | 'warning' | 'bad';
  readonly text: string;
}

/** `before` is null at the first reading: only connections that are lost now are reported then. */
export function connectionChanges(before: DeviceStats | null, now: DeviceStats | null): ConnectionChange[] {
  const earlier = sameLife(before, now) ? (before?.connections ?? []) : [];
  return (now?.connections ?? []).flatMap((connection) => {
    const was = earlier.find(({ thread }) => thread === connection.thread);
    return was === undefined ? firstSeen(connection) : changesOf(was, connection);
  });
}

function firstSeen(connection: ConnectionStats): ConnectionChange[] {
  return connection.state === 'up' ? [] : [lost(connection)];
}

/** It may have come back, and may have been lost again, since it was last looked at. */
function changesOf(was: ConnectionStats, is: ConnectionStats): ConnectionChange[] {
  const wasBack = is.reconnects > was.reconnects;
  const back = wasBack ? [backFrom(was, is)] : [];
  const isNewlyLost = is.state !== 'up' && (wasBack || is.state !== was.state);
  return isNewlyLost ? [...back, lost(is)] : back;
}

function lost({ thread, state }: ConnectionStats): ConnectionChange {
  const connection = `connection ${thread} to the server of the target`;
  return state === 'failing'
    ? { kind: 'connection lost', severity: 'bad', text: `${connection} is not back in time: requests fail until it is` }
    : { kind: 'connection lost', severity: 'warning', text: `${connection} is lost: requests wait until it is back` };
}

function backFrom(was: ConnectionStats, is: ConnectionStats): ConnectionChange {
  const connection = `connection ${is.thread} to the server of the target`;
  const isKnown = was.state !== 'up' && is.state === 'up' && is.reconnects === was.reconnects + 1;
  const after = isKnown ? ` after ${Math.round(secondsSince(was.sinceMs, is.sinceMs))} s` : '';
  return { kind: 'connection back', severity: 'good', text: `${connection} was lost and is back${after}` };
}
