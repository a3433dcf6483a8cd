/** A picture as one line of JSON. docs/monitor.md says what each key means; a changed meaning needs a new version. */
import { connectionReport } from '../../device/report/report-parts.ts';
import { meanInFlight, readAwait, utilisation, writeAwait } from '../model/figures.ts';
import { percentilesOf } from '../model/latency.ts';
import type { MonitorEvent } from '../model/events.ts';
import {
  type BufferView,
  DATA_WAYS,
  type DeviceView,
  type Period,
  type Picture,
  type QueueView,
  wayShare,
} from '../model/picture.ts';
import { verdictOf } from '../model/verdict.ts';
import { rate, type Span } from '../model/spans.ts';
import type { Histogram } from '../../stats/reader.ts';

const LINE_VERSION = 1;

/** `events` are those that no earlier line has told. */
export function jsonLine({ sample, seconds, devices }: Picture, events: readonly MonitorEvent[]): string {
  const line = {
    version: LINE_VERSION,
    time: new Date(sample.wallMs).toISOString(),
    interval_s: rounded(seconds),
    notice: sample.notice,
    devices: devices.map(deviceObject),
    events: events.map(({ wallMs, device, kind, text, count }) => ({
      time: new Date(wallMs).toISOString(),
      device,
      event: kind.replaceAll(' ', '_'),
      text,
      ...(kind === 'errors' ? { count } : {}),
    })),
  };
  return `${JSON.stringify(line)}\n`;
}

function deviceObject(device: DeviceView): object {
  const { spans, target } = device;
  return {
    id: device.id,
    path: `/dev/${device.name}`,
    state: device.state.word.replaceAll(' ', '_'),
    trouble: device.state.trouble,
    target: target === null ? null : { type: target, files: device.files },
    data_path: device.dataPath,
    size_bytes: device.sizeBytes,
    nr_hw_queues: device.queueCount,
    queue_depth: device.queueDepth,
    ublksrv_pid: device.serverPid,
    server: device.resident,
    in_flight: device.inFlight,
    interval: { ...periodObject(device, 'interval'), ...rates(spans.interval) },
    total: periodObject(device, 'total'),
    queues: device.queues.map(queueObject),
    buffers: device.buffers?.map(bufferObject) ?? null,
    connections: device.connections.length === 0 ? null : device.connections.map(connectionReport),
  };
}

function periodObject(device: DeviceView, period: Period): object {
  const span = device.spans[period];
  const ours = device.target !== null;
  const { text, severity } = verdictOf(device, period);
  const { reads, readBytes, writes, writtenBytes } = span.block;
  const { read, write, other } = span.server.latency;
  return {
    seconds: rounded(span.seconds),
    reads,
    writes,
    read_bytes: readBytes,
    written_bytes: writtenBytes,
    r_await_ms: rounded(readAwait(span)),
    w_await_ms: rounded(writeAwait(span)),
    ways: ours
      ? Object.fromEntries(
          DATA_WAYS.map((way) => [way, { ...span.server.ways[way], share: rounded(wayShare(way, span)) }]),
        )
      : null,
    verdict: { severity, text },
    errors: ours ? span.server.errors : null,
    latency_us: ours ? { read: latencyObject(read), write: latencyObject(write), other: latencyObject(other) } : null,
  };
}

function rates(span: Span): object {
  const { reads, readBytes, writes, writtenBytes } = span.block;
  return {
    reads_per_s: rounded(rate(reads, span)),
    writes_per_s: rounded(rate(writes, span)),
    read_bytes_per_s: Math.round(rate(readBytes, span)),
    written_bytes_per_s: Math.round(rate(writtenBytes, span)),
    aqu_sz: rounded(meanInFlight(span)),
    util: rounded(utilisation(span)),
  };
}

function latencyObject(histogram: Histogram): object | null {
  const found = percentilesOf(histogram);
  return found === null ? null : { p50: rounded(found.p50), p99: rounded(found.p99), 'p99.9': rounded(found.p999) };
}

function queueObject({ id, inFlight, depth, tallies }: QueueView): object {
  return { id, in_flight: inFlight, depth: rounded(depth), ...perPeriod((period) => tallyObject(tallies[period])) };
}

function bufferObject({ index, length, readOnly, source, tallies, share }: BufferView): object {
  return {
    index,
    len: length,
    read_only: readOnly,
    source,
    ...perPeriod((period) => ({ ...tallyObject(tallies[period]), share: rounded(share[period]) })),
  };
}

function tallyObject({ requests, bytes }: { readonly requests: number; readonly bytes: number }) {
  return { requests, bytes };
}

function perPeriod<Value>(of: (period: Period) => Value): Record<Period, Value> {
  return { interval: of('interval'), total: of('total') };
}

/** Six digits are more than the clocks behind these numbers are good for. */
function rounded(value: number | null): number | null {
  return value === null || Number.isNaN(value) ? null : Number(value.toPrecision(6));
}
