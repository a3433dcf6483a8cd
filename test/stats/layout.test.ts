/** The parts of the stats page that are given their room on the file system before anything is written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOCK_BYTES, blockOffset, BUFFER_SLOTS, statsFileBytes, writtenParts } from '../../src/stats/layout.ts';
import { BlockF64, Connection, HEAT_PARTS, LATENCY_BUCKETS, STAT_OPS, STAT_WAYS } from '../../src/stats/layout.ts';
import { StatsWriter } from '../../src/stats/writer.ts';

const BLOCKS = 3;

test('without registered buffers, everything that is written lies in the header and in one page per block', () => {
  const page = written(() => {});
  const parts = writtenParts(BLOCKS, false);
  assert.equal(
    parts.reduce((sum, [, bytes]) => sum + bytes, 0),
    4096 * (BLOCKS + 1),
  );
  for (const [offset, bytes] of parts) page.fill(0, offset, offset + bytes);
  assert.ok(page.every((byte) => byte === 0));
});

test('with registered buffers, the whole file is', () => {
  const page = written((writer) => writer.hit(BUFFER_SLOTS - 1, 4096, HEAT_PARTS - 1));
  assert.deepEqual(writtenParts(BLOCKS, true), [[0, statsFileBytes(BLOCKS)]]);
  assert.equal(page.length, statsFileBytes(BLOCKS));
  assert.ok(page.at(-4) !== 0, 'the last counter is in the last word');
});

/** A page to which a queue thread has written all that it can write to every block. */
function written(more: (writer: StatsWriter) => void): Uint8Array {
  const page = new Uint8Array(statsFileBytes(BLOCKS));
  for (let block = 0; block < BLOCKS; block++) {
    const writer = new StatsWriter(page.buffer, blockOffset(block), BLOCK_BYTES);
    writer.batchBegin();
    writer.arrived();
    for (let op = 0; op < STAT_OPS.length; op++) {
      writer.failed(op);
      for (let way = 0; way < STAT_WAYS.length; way++) writer.finished(op, way, 4096);
    }
    for (let kind = 0; kind < 3; kind++)
      for (let bucket = 0; bucket < LATENCY_BUCKETS; bucket++) writer.latency(kind, 2 ** bucket - 1, 1);
    writer.stuck(1, 1, 4096, 1);
    for (const index of Object.values(Connection)) writer.counters[BlockF64.connection + index] = 1;
    writer.batchEnd();
    more(writer);
  }
  return page;
}
