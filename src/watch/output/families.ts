/** The metric families of all devices: base units, and `_total` on counters. docs/monitor.md lists them. */
import { blockFamilies } from './block-families.ts';
import { connectionFamilies } from './connection-families.ts';
import { type ExposedDevice, type Family, labelsOf } from './family.ts';
import { requestFamilies } from './request-families.ts';

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
