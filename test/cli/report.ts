import type { DeviceReport } from '../../src/device/report/report.ts';

/** A live null device, with what the test is about changed. */
export function report(changes: Partial<DeviceReport> = {}): DeviceReport {
  return {
    id: 0,
    seen_from: 'driver',
    path: `/dev/ublkb${changes.id ?? 0}`,
    state: 'LIVE',
    target: { type: 'null', files: [], options: {} },
    size_bytes: 250 * 2 ** 30,
    logical_block_size: 512,
    nr_hw_queues: 2,
    queue_depth: 128,
    max_io_buf_bytes: 1 << 20,
    ublksrv_pid: 215,
    flags: '0x26042',
    flag_names: ['UBLK_F_CMD_IOCTL_ENCODE'],
    io_desc_size: 24,
    data_path: 'copy',
    queues: [],
    buffers: [],
    io: {
      matched: { requests: 0, bytes: 0 },
      registered: { requests: 0, bytes: 0 },
      copied: { requests: 0, bytes: 0 },
      errors: 0,
      stuck: null,
    },
    connections: null,
    server: null,
    server_state: null,
    deleting: null,
    last_error: null,
    ...changes,
  };
}
