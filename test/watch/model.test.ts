import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { meanInFlight, readAwait, utilisation, writeAwait } from '../../src/watch/model/figures.ts';
import { percentilesOf } from '../../src/watch/model/latency.ts';
import { type DeviceView, observe, type Picture, wayShare } from '../../src/watch/model/picture.ts';
import type { ConnectionStats } from '../../src/stats/connections.ts';
import type { Sample } from '../../src/watch/sampling/sample.ts';
import { rate } from '../../src/watch/model/spans.ts';
import { verdictOf } from '../../src/watch/model/verdict.ts';
import {
  blockCounters,
  deviceSample,
  foreignSample,
  ownRecord,
  queueStats,
  sampleAt,
  START_MS,
  statsPage,
  storedBuffer,
  connection,
  unknownSample,
} from './samples.ts';

/** A device with two connections; the second of them has changed. */
function connectedAt(seconds: number, change: Partial<ConnectionStats>): Sample {
  const connections = [connection(0), connection(1, change)];
  return sampleAt(seconds, deviceSample({ stats: statsPage({ connections }) }));
}

function pictureOf(...samples: Sample[]): Picture {
  let picture: Picture | null = null;
  for (const sample of samples) picture = observe(picture, sample);
  assert.ok(picture);
  return picture;
}

/** What the events say. */
function textsOf(...samples: Sample[]): string[] {
  return pictureOf(...samples).events.map(({ text }) => text);
}

function only(picture: Picture): DeviceView {
  assert.equal(picture.devices.length, 1);
  return picture.devices[0]!;
}

function deviceWithReads(reads: number) {
  return deviceSample({ block: blockCounters({ reads }) });
}

function heated(requests: number, heat: number[]) {
  return deviceSample({
    own: ownRecord({ buffers: [storedBuffer(0)] }),
    stats: statsPage({ buffers: new Map([[0, { requests, bytes: 0, heat }]]) }),
  });
}

function lived(generation: number, matched: number) {
  return deviceSample({ stats: statsPage({ generation, queues: [queueStats(0, { ways: { matched } })] }) });
}

function doneAtOnce(requests: number) {
  return deviceSample({ stats: statsPage({ queues: [queueStats(0, { buckets: { 0: requests } })] }) });
}

function moved(matched: number, copied: number, none: number) {
  return deviceSample({
    own: ownRecord({ buffers: [storedBuffer(0)] }),
    stats: statsPage({
      queues: [queueStats(0, { ways: { matched, copied, none } })],
      buffers: new Map([[0, { requests: matched, bytes: matched * 4096, heat: [] }]]),
    }),
  });
}

function withBuffers(...indices: number[]) {
  return deviceSample({ own: ownRecord({ buffers: indices.map((index) => storedBuffer(index)) }) });
}

function failing(errors: number) {
  return deviceSample({ stats: statsPage({ queues: [queueStats(0, { errors })] }) });
}

describe('rates', () => {
  const before = blockCounters({ reads: 1000, readBytes: 4_096_000, readMs: 500, busyMs: 100, queueMs: 1000 });
  const after = blockCounters({
    reads: 3000,
    readBytes: 12_288_000,
    readMs: 1500,
    writes: 100,
    writtenBytes: 409_600,
    writeMs: 20,
    inFlight: 5,
    busyMs: 1100,
    queueMs: 9000,
  });
  const view = only(
    pictureOf(sampleAt(0, deviceSample({ block: before })), sampleAt(2, deviceSample({ block: after }))),
  );
  const { interval, total } = view.spans;

  test('are amounts over the time between two samples', () => {
    assert.equal(interval.seconds, 2);
    assert.equal(rate(interval.block.reads, interval), 1000);
    assert.equal(rate(interval.block.readBytes, interval), 4_096_000);
    assert.equal(rate(interval.block.writes, interval), 50);
  });

  test("are iostat's figures", () => {
    assert.equal(readAwait(interval), 0.5);
    assert.equal(writeAwait(interval), 0.2);
    assert.equal(meanInFlight(interval), 4);
    assert.equal(utilisation(interval), 0.5);
    assert.equal(view.inFlight, 5);
  });

  test('stand beside what there was in total', () => {
    assert.equal(total.block.reads, 3000);
    assert.equal(total.seconds, 62);
  });

  test('are those of no time at all after the clock has been set back', () => {
    const lost = { state: 'waiting', sinceMs: START_MS } as const;
    const sample = { ...connectedAt(0, lost), wallMs: START_MS - 864_000_000 };
    const [device] = observe(null, sample).devices;
    assert.equal(device?.spans.total.seconds, 0);
    assert.match(device?.state.trouble ?? '', / for 0 s/);
  });

  test('are none at the first look, whatever the counters say', () => {
    const first = only(pictureOf(sampleAt(0, deviceSample({ block: after }))));
    assert.equal(rate(first.spans.interval.block.reads, first.spans.interval), 0);
    assert.equal(first.history.length, 0);
  });

  test('become a history, oldest first', () => {
    const samples = [0, 10, 30].map((reads, at) => sampleAt(at, deviceSample({ block: blockCounters({ reads }) })));
    assert.deepEqual(
      only(pictureOf(...samples)).history.map(({ requests }) => requests),
      [10, 20],
    );
  });

  test('that nothing completed in have no wait', () => {
    const idle = only(pictureOf(sampleAt(0, deviceSample()), sampleAt(1, deviceSample())));
    assert.equal(readAwait(idle.spans.interval), null);
    assert.equal(wayShare('matched', idle.spans.interval), null);
  });
});

describe('counters that are not what they were', () => {
  test('times wrap at 2^32 ms', () => {
    const before = blockCounters({ reads: 10, readMs: 2 ** 32 - 30, queueMs: 2 ** 32 - 100 });
    const after = blockCounters({ reads: 20, readMs: 20, queueMs: 900 });
    const { interval } = only(
      pictureOf(sampleAt(0, deviceSample({ block: before })), sampleAt(1, deviceSample({ block: after }))),
    ).spans;
    assert.equal(interval.block.readMs, 50);
    assert.equal(meanInFlight(interval), 1);
  });

  test('heat wraps at 2^32, and what is new is all there is', () => {
    const view = only(pictureOf(sampleAt(0, heated(10, [2 ** 32 - 1, 5])), sampleAt(1, heated(20, [3, 9]))));
    assert.deepEqual(view.buffers?.[0]?.heat.interval, [3, 4]);
  });

  test('a recovered server begins again at 0: all it counts is new', () => {
    const before = deviceSample({ stats: statsPage({ queues: [queueStats(0, { ways: { matched: 5000 } })] }) });
    const after = deviceSample({
      serverPid: 200,
      stats: statsPage({
        serverPid: 200,
        generation: 1,
        startedAtMs: 5,
        queues: [queueStats(0, { ways: { matched: 300, copied: 100 }, buckets: { 3: 7 } })],
      }),
    });
    const { interval } = only(pictureOf(sampleAt(0, before), sampleAt(1, after))).spans;
    assert.equal(interval.server.ways.matched.requests, 300);
    assert.equal(wayShare('matched', interval), 0.75);
    assert.equal(interval.server.latency.read.buckets[3], 7);
  });

  test('a recovered server that has counted more than the last one is still a new one', () => {
    const { interval } = only(pictureOf(sampleAt(0, lived(0, 10)), sampleAt(1, lived(1, 50)))).spans;
    assert.equal(interval.server.ways.matched.requests, 50);
  });

  test('another disk under the same name has no interval yet', () => {
    const view = only(
      pictureOf(
        sampleAt(0, deviceSample({ diskSequence: 7, block: blockCounters({ reads: 10 }) })),
        sampleAt(1, deviceSample({ diskSequence: 8, block: blockCounters({ reads: 5000 }) })),
      ),
    );
    assert.equal(rate(view.spans.interval.block.reads, view.spans.interval), 0);
    assert.equal(view.history.length, 0);
  });

  test('a device that goes and comes back starts afresh', () => {
    const picture = pictureOf(sampleAt(0, deviceWithReads(9000)), sampleAt(1), sampleAt(2, deviceWithReads(10)));
    assert.equal(only(picture).spans.interval.block.reads, 0);
    assert.deepEqual(
      picture.events.map(({ kind }) => kind),
      ['deleted', 'added'],
    );
  });

  test('a request that is counted before its time is never a negative one', () => {
    const { interval } = only(pictureOf(sampleAt(0, doneAtOnce(5)), sampleAt(1, doneAtOnce(4)))).spans;
    assert.equal(interval.server.latency.read.buckets[0], 0);
  });
});

describe('queues', () => {
  test('show what they hold or, when that is nothing, the mean of the batches', () => {
    const before = statsPage({ queues: [queueStats(0), queueStats(1)] });
    const after = statsPage({
      queues: [
        queueStats(0, { inFlight: 0, batches: 10, depthSum: 160, ways: { copied: 160 } }),
        queueStats(1, { inFlight: 31, batches: 10, depthSum: 100, ways: { copied: 100 } }),
      ],
    });
    const view = only(
      pictureOf(sampleAt(0, deviceSample({ stats: before })), sampleAt(1, deviceSample({ stats: after }))),
    );
    assert.deepEqual(
      view.queues.map(({ depth }) => depth),
      [16, 31],
    );
    assert.equal(view.queues[0]?.tallies.interval.requests, 160);
  });

  test('of a dead server hold nothing', () => {
    const stats = statsPage({ queues: [queueStats(0, { inFlight: 12 })] });
    const view = only(pictureOf(sampleAt(0, deviceSample({ stats, server: 'gone' }))));
    assert.equal(view.queues[0]?.inFlight, 0);
  });
});

describe('data', () => {
  const view = only(pictureOf(sampleAt(0, moved(0, 50, 0)), sampleAt(1, moved(300, 150, 1000))));

  test('is told by the way it travelled, leaving out what has none', () => {
    assert.equal(wayShare('matched', view.spans.interval), 0.75);
    assert.equal(wayShare('matched', view.spans.total), 300 / 450);
  });

  test('is told by the buffer it lay in', () => {
    assert.equal(view.buffers?.[0]?.tallies.interval.requests, 300);
    assert.equal(view.buffers?.[0]?.share.interval, 0.75);
  });

  test("of another program's device is not known, what the block layer sees is", () => {
    const foreign = [0, 40].map((reads, at) => sampleAt(at, foreignSample({ block: blockCounters({ reads }) })));
    const seen = only(pictureOf(...foreign));
    assert.equal(seen.buffers, null);
    assert.equal(seen.target, null);
    assert.equal(seen.spans.interval.block.reads, 40);
  });
});

describe('latency', () => {
  test('percentiles lie within their bucket', () => {
    const found = percentilesOf({
      buckets: [0, 0, 0, 50, 0, 0, 0, 49, 0, 0, 1, ...Array<number>(21).fill(0)],
      sumUs: 0,
    });
    assert.ok(found !== null);
    assert.equal(found.p50, 8);
    assert.equal(found.p99, 128);
    assert.ok(found.p999 > 512 && found.p999 <= 1024);
  });

  test('what was done in its batch is at once', () => {
    assert.deepEqual(percentilesOf({ buckets: [10], sumUs: 0 }), { p50: 0, p99: 0, p999: 0 });
    assert.equal(percentilesOf({ buckets: [0, 0], sumUs: 0 }), null);
  });
});

describe('a server', () => {
  test('that is gone is said to be, at once, though the kernel still says LIVE', () => {
    const picture = pictureOf(sampleAt(0, deviceSample()), sampleAt(1, deviceSample({ server: 'gone' })));
    const { state } = only(picture);
    assert.equal(state.word, 'NO SERVER');
    assert.equal(state.severity, 'bad');
    assert.match(state.trouble ?? '', /pid 100\) ended without a message/);
    assert.deepEqual(
      picture.events.map(({ kind }) => kind),
      ['server gone'],
    );
  });

  test('that said why is quoted', () => {
    const dead = deviceSample({
      state: 'DEAD',
      kernel: { queues: 2, depth: 128, sharedMemory: false },
      own: ownRecord({ ended: { at: '', reason: 'failed', message: 'the disk is on fire' } }),
      server: 'gone',
    });
    assert.match(only(pictureOf(sampleAt(0, dead))).state.trouble ?? '', /^the disk is on fire/);
  });

  test('that ended because its device was quiesced is not said to have been stopped', () => {
    const quiesced = deviceSample({
      state: 'QUIESCED',
      own: ownRecord({ ended: { at: '', reason: 'stopped', message: null } }),
      server: 'gone',
    });
    const { events, devices } = pictureOf(sampleAt(0, deviceSample()), sampleAt(1, quiesced));
    assert.match(devices[0]?.state.trouble ?? '', /^the device was quiesced; I\/O waits until the device is recovered/);
    assert.deepEqual(
      events.map(({ kind, text }) => [kind, text.slice(0, 33)]),
      [['stopped', 'QUIESCED: the device was quiesced']],
    );
  });

  test('that was replaced is an event', () => {
    const quiesced = deviceSample({
      state: 'QUIESCED',
      kernel: { queues: 2, depth: 128, sharedMemory: false },
      server: 'gone',
    });
    const picture = pictureOf(
      sampleAt(0, deviceSample()),
      sampleAt(1, quiesced),
      sampleAt(2, deviceSample({ serverPid: 222 })),
    );
    assert.deepEqual(
      picture.events.map(({ kind }) => kind),
      ['server gone', 'recovered'],
    );
    assert.match(picture.events[1]?.text ?? '', /pid 222 in place of 100/);
  });

  test('that was replaced while nobody looked is named once', () => {
    const kernel = { queues: 2, depth: 128, sharedMemory: false };
    const picture = pictureOf(
      sampleAt(0, deviceSample()),
      // The new server has its id in the record, and the device is not live yet.
      sampleAt(1, deviceSample({ state: 'QUIESCED', kernel, serverPid: 222 })),
      sampleAt(2, deviceSample({ serverPid: 222 })),
    );
    assert.match(picture.events.at(-1)?.text ?? '', /^recovered, server pid 222$/);
  });

  test('that a signal has stopped is not serving, and serving again when it goes on', () => {
    const picture = pictureOf(
      sampleAt(0, deviceSample()),
      sampleAt(1, deviceSample({ server: 'stopped' })),
      sampleAt(2, deviceSample()),
    );
    const paused = only(pictureOf(sampleAt(0, deviceSample({ server: 'stopped' })))).state;
    assert.equal(paused.word, 'PAUSED');
    assert.match(paused.trouble ?? '', /\(pid 100\) is stopped \(state T.*`kill -CONT 100`/);
    assert.deepEqual(
      picture.events.map(({ kind }) => kind),
      ['not serving', 'serving again'],
    );
  });

  test('that is a zombie serves nothing', () => {
    const { state } = only(pictureOf(sampleAt(0, deviceSample({ server: 'zombie' }))));
    assert.equal(state.word, 'NO SERVER');
    assert.match(state.trouble ?? '', /zombie/);
  });

  test('that completes nothing of what is in flight is stuck after ten seconds, and not before', () => {
    const waiting = deviceSample({ block: blockCounters({ reads: 5, inFlight: 3 }) });
    const stuck = [0, 4, 8, 11].map((seconds) => sampleAt(seconds, waiting));
    assert.equal(only(pictureOf(...stuck.slice(0, 3))).state.word, 'LIVE');
    const picture = pictureOf(...stuck);
    assert.equal(only(picture).state.word, 'STUCK');
    assert.match(only(picture).state.trouble ?? '', /3 requests are in flight and none has completed for 11 s/);
    assert.deepEqual(
      picture.events.map(({ kind }) => kind),
      ['not serving'],
    );
    const moving = deviceSample({ block: blockCounters({ reads: 6, inFlight: 3 }) });
    assert.equal(only(pictureOf(...stuck, sampleAt(12, moving))).state.word, 'LIVE');
  });

  test('that has just come, or goes on, is not to blame for how long requests have waited before', () => {
    const block = blockCounters({ reads: 5, inFlight: 3 });
    const waiting = deviceSample({ block, state: 'QUIESCED', server: 'gone' });
    const served = deviceSample({ block, serverPid: 101 });
    const recovered = pictureOf(sampleAt(0, waiting), sampleAt(60, waiting), sampleAt(61, served));
    assert.equal(only(recovered).state.word, 'LIVE');
    assert.deepEqual(
      recovered.events.map(({ kind }) => kind),
      ['server gone', 'recovered'],
    );
    const on = deviceSample({ block });
    for (const server of ['stopped', 'frozen'] as const) {
      const paused = deviceSample({ block, server });
      const continued = pictureOf(sampleAt(0, paused), sampleAt(60, paused), sampleAt(61, on));
      assert.equal(only(continued).state.word, 'LIVE');
    }
    assert.equal(only(pictureOf(...[61, 66, 72].map((seconds) => sampleAt(seconds, on)))).state.word, 'STUCK');
  });

  test('of a device that was deleted and is still held', () => {
    const picture = pictureOf(
      sampleAt(0, deviceSample()),
      sampleAt(1, deviceSample({ going: true, server: 'gone' })),
      sampleAt(2),
    );
    const { state } = only(pictureOf(sampleAt(0, deviceSample({ going: true, server: 'gone' }))));
    assert.equal(state.word, 'DELETING');
    assert.match(state.trouble ?? '', /a process that has it open or mounted lets go/);
    const heldBy = 'mounted at /mnt (ext4), open in process 42 (dd)';
    const held = only(pictureOf(sampleAt(0, deviceSample({ going: true, heldBy }))));
    assert.ok(held.state.trouble?.endsWith(`it is still ${heldBy}`), held.state.trouble ?? '');
    assert.deepEqual(
      picture.events.map(({ kind }) => kind),
      ['not serving', 'deleted'],
    );
  });

  test('whose state may not be asked is judged by its process', () => {
    assert.equal(only(pictureOf(sampleAt(0, deviceSample({ kernel: null })))).state.word, 'LIVE');
  });

  test("of which only the disk is known is not said to have lost its server, nor to be another program's", () => {
    const picture = pictureOf(sampleAt(0), sampleAt(1, unknownSample()));
    const view = only(picture);
    assert.deepEqual(view.state, { word: 'LIVE', severity: 'good', trouble: null });
    assert.match(verdictOf(view, 'total').text, /^How the data of this device travels is not known here/);
    assert.deepEqual(
      picture.events.map(({ text }) => text),
      ['added'],
    );
    const lost = unknownSample({ server: 'gone' });
    const { word, trouble } = only(pictureOf(sampleAt(0, lost))).state;
    assert.deepEqual([word, trouble], ['NO SERVER', 'it has no server']);
    assert.deepEqual(textsOf(sampleAt(0, lost), sampleAt(1, unknownSample())).at(-1), 'recovered');
  });

  test('that cannot be read for a while is not said to be another one', () => {
    const known = foreignSample();
    assert.deepEqual(textsOf(sampleAt(0, known), sampleAt(1, unknownSample()), sampleAt(2, known)), []);
  });

  test("of a device is another program's where the driver knows the device and no record does", () => {
    const stopped = foreignSample({ state: 'DEAD', server: 'gone', serverPid: -1 });
    const read = [deviceSample({ kernel: null }), stopped, unknownSample()];
    assert.deepEqual(
      read.map((sample) => only(pictureOf(sampleAt(0, sample))).owner),
      ['ours', 'another', 'unknown'],
    );
  });
});

describe('events', () => {
  test('of buffers tell which', () => {
    const { events } = pictureOf(
      sampleAt(0, withBuffers(0)),
      sampleAt(1, withBuffers(0, 1)),
      sampleAt(2, withBuffers(1)),
    );
    assert.deepEqual(
      events.map(({ text }) => text),
      ['buffer 1 registered: /mnt/huge/buf', 'buffer 0 unregistered: /mnt/huge/buf'],
    );
  });

  test('of a target that does not answer tell what waits, and when nothing does any more', () => {
    const stuck = { requests: 1, op: 'read', offset: 8192, sinceMs: START_MS - 30_000 } as const;
    const waiting = deviceSample({ stats: statsPage({ stuck }) });
    const { events } = pictureOf(
      sampleAt(0, deviceSample()),
      sampleAt(1, waiting),
      sampleAt(2, waiting),
      sampleAt(3, deviceSample()),
    );
    assert.deepEqual(
      events.map(({ kind, text }) => [kind, text]),
      [
        ['target stuck', 'its target has not answered a read at byte 8192 for 31 s'],
        ['target answers', 'its target has answered every old request'],
      ],
    );
  });

  test('of connections tell when one is lost, when its requests fail, and when it is back', () => {
    const { devices, events } = pictureOf(
      connectedAt(0, {}),
      connectedAt(2, { state: 'waiting', sinceMs: START_MS + 1000 }),
      connectedAt(3, { state: 'waiting', sinceMs: START_MS + 1000 }),
      connectedAt(4, { state: 'failing', sinceMs: START_MS + 4000 }),
      connectedAt(9, { sinceMs: START_MS + 9000, reconnects: 1 }),
      connectedAt(10, { sinceMs: START_MS + 9500, reconnects: 3 }),
      connectedAt(11, { state: 'waiting', sinceMs: START_MS + 10_500, reconnects: 4 }),
    );
    const which = 'connection 1 to the server of the target';
    assert.deepEqual(
      events.map(({ kind, text }) => [kind, text]),
      [
        ['connection lost', `${which} is lost: requests wait until it is back`],
        ['connection lost', `${which} is not back in time: requests fail until it is`],
        ['connection back', `${which} was lost and is back after 5 s`],
        ['connection back', `${which} was lost and is back`],
        ['connection back', `${which} was lost and is back`],
        ['connection lost', `${which} is lost: requests wait until it is back`],
      ],
    );
    const { word, severity, trouble } = devices[0]!.state;
    assert.deepEqual([word, severity], ['LIVE', 'warning']);
    assert.equal(trouble, '1 of its 2 connections to the server of the target has been lost for 1 s: requests wait');
  });

  test('at the first look tell of a connection that is lost, and not that the server has gone', () => {
    const lost = deviceSample({ stats: statsPage({ connections: [connection(0, { state: 'waiting' })] }) });
    assert.deepEqual(
      pictureOf(sampleAt(0, lost)).events.map(({ kind }) => kind),
      ['connection lost'],
    );
  });

  test('of errors that go on are one that grows', () => {
    const { events } = pictureOf(sampleAt(0, failing(0)), sampleAt(1, failing(1)), sampleAt(2, failing(4)));
    assert.deepEqual(
      events.map(({ text }) => text),
      ['4 requests failed'],
    );
  });

  test('at the first look are only what is wrong', () => {
    const picture = pictureOf(sampleAt(0, deviceSample({ id: 1, server: 'gone' }), deviceSample()));
    assert.deepEqual(
      picture.events.map(({ device, kind }) => [device, kind]),
      [[1, 'server gone']],
    );
  });
});
