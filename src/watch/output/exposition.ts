/**
 * Counters for Prometheus, in its text format (version 0.0.4): base units, `_total` on counters, and a HELP and a TYPE
 * line per family, as `promtool check metrics` wants them.
 */
import type { BlockCounters } from '../../stats/block-layer.ts';
import { LATENCY_BUCKETS, STAT_OPS, STAT_WAYS } from '../../stats/layout.ts';
import type { DeviceStats, Histogram } from '../../stats/reader.ts';
import { connectionFamilies } from './connection-families.ts';
import { type ExposedDevice, type Family, type FamilySample, labelsOf } from './family.ts';

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The families that have samples. */
export function families(devices: readonly ExposedDevice[]): Family[] {
  return [
    ...deviceFamilies(devices),
    ...requestFamilies(devices),
    ...bufferFamilies(devices),
    ...connectionFamilies(devices),
    ...blockFamilies(devices),
  ].filter(({ samples }) => samples.length > 0);
}

export function exposition(all: readonly Family[]): string {
  return all
    .map(({ name, type, help, samples }) => {
      const lines = samples.map(({ suffix = '', labels, value }) => `${name}${suffix}${labelText(labels)} ${value}\n`);
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
    })
    .join('');
}

function deviceFamilies(devices: readonly ExposedDevice[]): Family[] {
  const perDevice = (value: (device: ExposedDevice) => number) =>
    devices.map((device) => ({ labels: labelsOf(device), value: value(device) }));
  return [
    {
      name: 'ublk_device_info',
      type: 'gauge',
      help: 'One sample per device, always 1; its labels say what the device is.',
      samples: devices.map((device) => ({
        labels: {
          ...labelsOf(device),
          state: device.state,
          target: device.target ?? '',
          data_path: device.dataPath ?? '',
          server: device.resident ?? '',
        },
        value: 1,
      })),
    },
    {
      name: 'ublk_device_up',
      type: 'gauge',
      help: 'Whether the device is live and its server runs.',
      samples: perDevice(({ state, serverRuns }) => (state === 'LIVE' && serverRuns ? 1 : 0)),
    },
    {
      name: 'ublk_device_size_bytes',
      type: 'gauge',
      help: 'Size of the block device.',
      samples: perDevice(({ sizeBytes }) => sizeBytes),
    },
    {
      name: 'ublk_device_queues',
      type: 'gauge',
      help: 'Hardware queues of the device.',
      samples: perDevice(({ queues }) => queues),
    },
    {
      name: 'ublk_device_queue_depth_requests',
      type: 'gauge',
      help: 'Requests that each queue can hold.',
      samples: perDevice(({ depth }) => depth),
    },
  ];
}

function requestFamilies(devices: readonly ExposedDevice[]): Family[] {
  const perQueue = (
    samples: (queue: DeviceStats['queues'][number], labels: Record<string, string>) => FamilySample[],
  ) =>
    devices.flatMap((device) =>
      (device.stats?.queues ?? []).flatMap((queue) => samples(queue, { ...labelsOf(device), queue: String(queue.id) })),
    );
  return [
    {
      name: 'ublk_requests_total',
      type: 'counter',
      help: 'Requests that the server has completed, by operation.',
      samples: perQueue(({ ops }, labels) =>
        STAT_OPS.map((op) => ({ labels: { ...labels, op }, value: ops[op].requests })),
      ),
    },
    {
      name: 'ublk_request_bytes_total',
      type: 'counter',
      help: 'Bytes of the requests that the server has completed, by operation.',
      samples: perQueue(({ ops }, labels) =>
        STAT_OPS.map((op) => ({ labels: { ...labels, op }, value: ops[op].bytes })),
      ),
    },
    {
      name: 'ublk_request_errors_total',
      type: 'counter',
      help: 'Requests that the server has failed, by operation.',
      samples: perQueue(({ ops }, labels) =>
        STAT_OPS.map((op) => ({ labels: { ...labels, op }, value: ops[op].errors })),
      ),
    },
    {
      name: 'ublk_data_requests_total',
      type: 'counter',
      help: 'Requests by the way their data travelled: matched (in shared memory that a client registered, not copied), registered (zero copy with the pages of the request), copied, or none (no data).',
      samples: perQueue(({ ways }, labels) =>
        STAT_WAYS.map((way) => ({ labels: { ...labels, way }, value: ways[way].requests })),
      ),
    },
    {
      name: 'ublk_data_bytes_total',
      type: 'counter',
      help: 'Bytes by the way that they travelled; the ways are those of ublk_data_requests_total.',
      samples: perQueue(({ ways }, labels) =>
        STAT_WAYS.map((way) => ({ labels: { ...labels, way }, value: ways[way].bytes })),
      ),
    },
    {
      name: 'ublk_requests_in_flight',
      type: 'gauge',
      help: 'Requests that the server holds now.',
      samples: perQueue(({ inFlight }, labels) => [{ labels, value: Math.max(0, inFlight) }]),
    },
    {
      name: 'ublk_batches_total',
      type: 'counter',
      help: 'Batches of completions that the server has handled. Each batch takes one io_uring_enter.',
      samples: perQueue(({ batches }, labels) => [{ labels, value: batches }]),
    },
    {
      name: 'ublk_batch_requests_total',
      type: 'counter',
      help: 'Sum over the batches of the requests that the server held. Divided by ublk_batches_total it is the mean depth.',
      samples: perQueue(({ depthSum }, labels) => [{ labels, value: depthSum }]),
    },
    {
      name: 'ublk_request_duration_seconds',
      type: 'histogram',
      help: 'Time in the server. A request that is completed in the batch that it came in is not timed and counts as the shortest.',
      samples: devices.flatMap((device) => durationSamples(device)),
    },
  ];
}

/** Buckets go from a microsecond to 33 s; longer times are in +Inf. */
const LAST_BOUND = 25;

function durationSamples(device: ExposedDevice): FamilySample[] {
  const queues = device.stats?.queues ?? [];
  if (queues.length === 0) return [];
  return (['read', 'write', 'other'] as const).flatMap((op) => {
    const labels = { ...labelsOf(device), op };
    const histogram = added(queues.map(({ latency }) => latency[op]));
    const samples: FamilySample[] = [];
    let below = 0;
    for (let bucket = 0; bucket <= LAST_BOUND; bucket++) {
      below += histogram.buckets[bucket] ?? 0;
      samples.push({ suffix: '_bucket', labels: { ...labels, le: String(2 ** bucket / 1e6) }, value: below });
    }
    const count = histogram.buckets.reduce((sum, value) => sum + value, 0);
    return [
      ...samples,
      { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
      { suffix: '_sum', labels, value: histogram.sumUs / 1e6 },
      { suffix: '_count', labels, value: count },
    ];
  });
}

function added(histograms: readonly Histogram[]): Histogram {
  return {
    buckets: Array.from({ length: LATENCY_BUCKETS }, (_, bucket) =>
      histograms.reduce((sum, { buckets }) => sum + (buckets[bucket] ?? 0), 0),
    ),
    sumUs: histograms.reduce((sum, { sumUs }) => sum + sumUs, 0),
  };
}

function bufferFamilies(devices: readonly ExposedDevice[]): Family[] {
  const perBuffer = (value: (device: ExposedDevice, buffer: ExposedDevice['buffers'][number]) => number) =>
    devices.flatMap((device) =>
      device.buffers.map((buffer) => ({
        labels: {
          ...labelsOf(device),
          buffer: String(buffer.index),
          mode: buffer.readOnly ? 'read-only' : 'read-write',
        },
        value: value(device, buffer),
      })),
    );
  return [
    {
      name: 'ublk_buffer_size_bytes',
      type: 'gauge',
      help: 'Length of a shared-memory buffer that a client registered.',
      samples: perBuffer((_device, { length }) => length),
    },
    {
      name: 'ublk_buffer_matched_requests_total',
      type: 'counter',
      help: 'Requests whose memory lay in the buffer, so that they were not copied.',
      samples: perBuffer(({ stats }, { index }) => stats?.buffers.get(index)?.requests ?? 0),
    },
    {
      name: 'ublk_buffer_matched_bytes_total',
      type: 'counter',
      help: 'Bytes of the requests whose memory lay in the buffer.',
      samples: perBuffer(({ stats }, { index }) => stats?.buffers.get(index)?.bytes ?? 0),
    },
  ];
}

function blockFamilies(devices: readonly ExposedDevice[]): Family[] {
  const perOp = (read: (block: BlockCounters) => number, write: (block: BlockCounters) => number) =>
    devices.flatMap(({ block, ...device }) =>
      block === null
        ? []
        : [
            { labels: { ...labelsOf(device), op: 'read' }, value: read(block) },
            { labels: { ...labelsOf(device), op: 'write' }, value: write(block) },
          ],
    );
  const perDisk = (value: (block: BlockCounters) => number) =>
    devices.flatMap(({ block, ...device }) =>
      block === null ? [] : [{ labels: labelsOf(device), value: value(block) }],
    );
  return [
    {
      name: 'ublk_block_requests_total',
      type: 'counter',
      help: 'Requests completed, as the block layer counts them, whoever serves the device.',
      samples: perOp(
        ({ reads }) => reads,
        ({ writes }) => writes,
      ),
    },
    {
      name: 'ublk_block_bytes_total',
      type: 'counter',
      help: 'Bytes of the requests completed, as the block layer counts them.',
      samples: perOp(
        ({ readBytes }) => readBytes,
        ({ writtenBytes }) => writtenBytes,
      ),
    },
    {
      name: 'ublk_block_requests_in_flight',
      type: 'gauge',
      help: 'Requests in flight, from submission to completion.',
      samples: perDisk(({ inFlight }) => inFlight),
    },
    {
      name: 'ublk_block_busy_seconds_total',
      type: 'counter',
      help: 'Time with at least one request in flight. The kernel counts it in 32 bits of milliseconds.',
      samples: perDisk(({ busyMs }) => busyMs / 1000),
    },
  ];
}

function labelText(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
