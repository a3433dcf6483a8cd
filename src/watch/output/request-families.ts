/** The metric families about the requests that servers have completed, and how long they took. */
import { LATENCY_BUCKETS, STAT_OPS, STAT_WAYS } from '../../stats/layout.ts';
import type { DeviceStats, Histogram, OpTally, Tally } from '../../stats/reader.ts';
import { type ExposedDevice, type Family, type FamilySample, labelsOf } from './family.ts';

type Queue = DeviceStats['queues'][number];
type Labels = FamilySample['labels'];

export function requestFamilies(devices: readonly ExposedDevice[]): Family[] {
  const perQueue = (samples: (queue: Queue, labels: Labels) => FamilySample[]): FamilySample[] =>
    devices.flatMap((device) =>
      (device.stats?.queues ?? []).flatMap((queue) => samples(queue, { ...labelsOf(device), queue: String(queue.id) })),
    );
  return [
    ...countFamilies(perQueue),
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

/** By operation, and by the way that the data travelled. */
function countFamilies(
  perQueue: (samples: (queue: Queue, labels: Labels) => FamilySample[]) => FamilySample[],
): Family[] {
  const perOp = (value: (tally: OpTally) => number): FamilySample[] =>
    perQueue(({ ops }, labels) => STAT_OPS.map((op) => ({ labels: { ...labels, op }, value: value(ops[op]) })));
  const perWay = (value: (tally: Tally) => number): FamilySample[] =>
    perQueue(({ ways }, labels) => STAT_WAYS.map((way) => ({ labels: { ...labels, way }, value: value(ways[way]) })));
  return [
    {
      name: 'ublk_requests_total',
      type: 'counter',
      help: 'Requests that the server has completed, by operation.',
      samples: perOp(({ requests }) => requests),
    },
    {
      name: 'ublk_request_bytes_total',
      type: 'counter',
      help: 'Bytes of the requests that the server has completed, by operation.',
      samples: perOp(({ bytes }) => bytes),
    },
    {
      name: 'ublk_request_errors_total',
      type: 'counter',
      help: 'Requests that the server has failed, by operation.',
      samples: perOp(({ errors }) => errors),
    },
    {
      name: 'ublk_data_requests_total',
      type: 'counter',
      help: 'Requests by the way their data travelled: matched (in shared memory that a client registered, not copied), registered (zero copy with the pages of the request), copied, or none (no data).',
      samples: perWay(({ requests }) => requests),
    },
    {
      name: 'ublk_data_bytes_total',
      type: 'counter',
      help: 'Bytes by the way that they travelled; the ways are those of ublk_data_requests_total.',
      samples: perWay(({ bytes }) => bytes),
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
