/** The metric families that the block layer counts, for every device, whoever serves it. */
import type { BlockCounters } from '../../stats/block-layer.ts';
import { type ExposedDevice, type Family, labelsOf } from './family.ts';

export function blockFamilies(devices: readonly ExposedDevice[]): Family[] {
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
