import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exposition } from '../../src/watch/output/exposition.ts';
import { families } from '../../src/watch/output/families.ts';
import type { ExposedDevice } from '../../src/watch/output/family.ts';
import { blockCounters, connection, queueStats, statsPage } from './samples.ts';

const device: ExposedDevice = {
  id: 3,
  state: 'LIVE',
  target: 'loop',
  dataPath: 'copy',
  resident: 'main',
  queues: 1,
  depth: 64,
  sizeBytes: 4096,
  serverRuns: true,
  stats: statsPage({
    queues: [queueStats(0, { ways: { matched: 5, copied: 2 }, buckets: { 0: 4, 3: 2, 31: 1 }, errors: 1 })],
    buffers: new Map([[0, { requests: 5, bytes: 20_480, heat: [] }]]),
  }),
  block: blockCounters({ reads: 7 }),
  buffers: [{ index: 0, length: 8192, readOnly: true }],
};

const text = exposition(families([device]));
const lines = text.split('\n');

describe('the exposition', () => {
  test('tells how data travelled, by queue', () => {
    assert.ok(lines.includes('ublk_data_requests_total{device="ublkb3",queue="0",way="matched"} 5'));
    assert.ok(lines.includes('ublk_data_bytes_total{device="ublkb3",queue="0",way="copied"} 8192'));
    assert.ok(lines.includes('ublk_buffer_matched_requests_total{device="ublkb3",buffer="0",mode="read-only"} 5'));
    assert.ok(lines.includes('ublk_block_requests_total{device="ublkb3",op="read"} 7'));
  });

  test('says what a device is, and which resident server has it', () => {
    assert.ok(
      lines.includes('ublk_device_info{device="ublkb3",state="LIVE",target="loop",data_path="copy",server="main"} 1'),
    );
  });

  test('has histograms that only grow, to +Inf, in seconds', () => {
    const buckets = lines
      .filter((line) => line.startsWith('ublk_request_duration_seconds_bucket{device="ublkb3",op="read"'))
      .map((line) => ({ le: /le="([^"]+)"/.exec(line)?.[1], count: Number(line.split(' ').at(-1)) }));
    assert.deepEqual(buckets[0], { le: '0.000001', count: 4 });
    assert.deepEqual(buckets[3], { le: '0.000008', count: 6 });
    assert.deepEqual(buckets.at(-1), { le: '+Inf', count: 7 });
    assert.ok(lines.includes('ublk_request_duration_seconds_count{device="ublkb3",op="read"} 7'));
  });

  test('has a HELP and a TYPE for every family, once, and its samples behind them', () => {
    const names = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
    assert.equal(new Set(names).size, names.length);
    for (const line of lines.filter((one) => one !== '' && !one.startsWith('#'))) {
      assert.match(line, /^[a-z_]+\{([a-z_]+="[^"]*",?)+\} [0-9.e+-]+$/);
    }
    assert.equal(text.endsWith('\n'), true);
  });

  test('tells of the connections of a target while its server runs', () => {
    const lost = connection(1, { state: 'waiting', reconnects: 2, inFlight: 3, sentBytes: 100, receivedBytes: 200 });
    const exposed = { ...device, stats: statsPage({ connections: [connection(0), lost] }) };
    const found = exposition(families([exposed]));
    assert.deepEqual(
      found.split('\n').filter((line) => line.startsWith('ublk_connection') && line.includes('connection="1"')),
      [
        'ublk_connection_up{device="ublkb3",connection="1"} 0',
        'ublk_connection_reconnects_total{device="ublkb3",connection="1"} 2',
        'ublk_connection_requests_in_flight{device="ublkb3",connection="1"} 3',
        'ublk_connection_sent_bytes_total{device="ublkb3",connection="1"} 100',
        'ublk_connection_received_bytes_total{device="ublkb3",connection="1"} 200',
      ],
    );
    assert.match(found, /ublk_connection_up\{device="ublkb3",connection="0"\} 1/);
    assert.doesNotMatch(exposition(families([{ ...exposed, serverRuns: false }])), /ublk_connection/);
  });

  test('escapes what stands in labels', () => {
    const odd = exposition(families([{ ...device, target: 'a"b\\c\nd' }]));
    assert.match(odd, /target="a\\"b\\\\c\\nd"/);
  });

  test("leaves out what is not known of another program's device", () => {
    const foreign = exposition(families([{ ...device, target: null, stats: null, buffers: [] }]));
    assert.doesNotMatch(foreign, /ublk_data_requests_total/);
    assert.match(foreign, /ublk_block_requests_total/);
  });

  test('of no devices is empty', () => assert.equal(exposition(families([])), ''));
});
