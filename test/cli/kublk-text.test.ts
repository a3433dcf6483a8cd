import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceText, featuresText } from '../../src/cli/output/kublk-text.ts';
import { UBLK_F_IO_DESC_SIZE } from '../../src/native/uapi/ublk-features.ts';
import { report } from './report.ts';

test("a device is printed as kublk's ublk_ctrl_dump prints it", () => {
  const queues = [
    { id: 0, affinity: [1, 3], tids: [], in_flight: 0 },
    { id: 1, affinity: [0], tids: [], in_flight: 0 },
  ];
  assert.equal(
    deviceText(report({ size_bytes: 524_288_000 * 512, queues })),
    'dev id 0: nr_hw_queues 2 queue_depth 128 block size 512 dev_capacity 524288000\n' +
      '\tmax rq size 1048576 daemon pid 215 flags 0x26042 state LIVE\n' +
      '\tqueue 0: affinity(1 )\n' +
      '\tqueue 1: affinity(0 )\n',
  );
});

test('scripts find state in field 11, pid in field 7 and the id before the colon', () => {
  const [first = '', second = ''] = deviceText(report({ id: 12 })).split('\n');
  const fields = second.trim().split(/\s+/);
  assert.equal(fields[10], 'LIVE');
  assert.equal(fields[6], '215');
  assert.equal(first.split(/[ :]/)[2], '12');
});

test('the size of a descriptor is printed where it was asked for', () => {
  const text = deviceText(report({ flags: `0x${UBLK_F_IO_DESC_SIZE.toString(16)}`, io_desc_size: 64 }));
  assert.equal(text.split('\n')[2], '\tio_desc_size 64');
});

test('a queue without a CPU has an empty affinity', () => {
  assert.match(
    deviceText(report({ queues: [{ id: 0, affinity: [], tids: [], in_flight: 0 }] })),
    /\tqueue 0: affinity\(\)\n$/,
  );
});

test('features are padded to sixteen digits, and a new bit is unknown', () => {
  const bits = [
    { bit: 0, name: 'UBLK_F_SUPPORT_ZERO_COPY' },
    { bit: 19, name: 'UBLK_F_SHMEM_ZC' },
    { bit: 40, name: null },
  ];
  assert.equal(
    featuresText({ features: 0x100_0008_0001n, bits }),
    'ublk_drv features: 0x10000080001\n' +
      '0x1               : UBLK_F_SUPPORT_ZERO_COPY\n' +
      '0x80000           : UBLK_F_SHMEM_ZC\n' +
      '0x10000000000     : unknown\n',
  );
});
