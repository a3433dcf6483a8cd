/** The metric families about the connections of targets. */
import type { ConnectionStats } from '../../stats/connections.ts';
import { type ExposedDevice, type Family, labelsOf } from './family.ts';

/** The counters of a server that has ended still say that its connections are up, and are left out. */
export function connectionFamilies(devices: readonly ExposedDevice[]): Family[] {
  const served = devices.filter(({ serverRuns }) => serverRuns);
  const perConnection = (value: (connection: ConnectionStats) => number) =>
    served.flatMap((device) =>
      (device.stats?.connections ?? []).map((connection) => ({
        labels: { ...labelsOf(device), connection: String(connection.thread) },
        value: value(connection),
      })),
    );
  return [
    {
      name: 'ublk_connection_up',
      type: 'gauge',
      help: 'Whether the connection of the target to its server is there.',
      samples: perConnection(({ state }) => (state === 'up' ? 1 : 0)),
    },
    {
      name: 'ublk_connection_reconnects_total',
      type: 'counter',
      help: 'How often the connection was lost and made again.',
      samples: perConnection(({ reconnects }) => reconnects),
    },
    {
      name: 'ublk_connection_requests_in_flight',
      type: 'gauge',
      help: 'Requests that were sent on the connection and have no reply yet.',
      samples: perConnection(({ inFlight }) => inFlight),
    },
    {
      name: 'ublk_connection_sent_bytes_total',
      type: 'counter',
      help: 'Bytes sent on the connection, headers included.',
      samples: perConnection(({ sentBytes }) => sentBytes),
    },
    {
      name: 'ublk_connection_received_bytes_total',
      type: 'counter',
      help: 'Bytes received on the connection, headers included.',
      samples: perConnection(({ receivedBytes }) => receivedBytes),
    },
  ];
}
