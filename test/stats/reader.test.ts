/** The stats page as its readers see it: blocks are written as queue threads write them, into a file, and read back. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  Block,
  BLOCK_BYTES,
  blockOffset,
  Header,
  STATS_MAGIC,
  STATS_VERSION,
  statsFileBytes,
} from '../../src/stats/layout.ts';
import { ConnectionWriter } from '../../src/stats/connection-writer.ts';
import { readStats } from '../../src/stats/reader.ts';
import { StatsWriter } from '../../src/stats/writer.ts';

const directory = mkdtempSync(join(tmpdir(), 'stats-'));
after(() => rmSync(directory, { recursive: true }));

test('a queue has the ids of all threads that serve it', () => {
  const path = page(2, [
    { queue: 0, tid: 11 },
    { queue: 1, tid: 11 },
    { queue: 0, tid: 12 },
  ]);
  assert.deepEqual(tidsOf(path), [[11, 12], [11]]);
});

test('a thread that has not started yet has no id', () => {
  assert.deepEqual(tidsOf(page(1, [{ queue: 0, tid: 0 }])), [[]]);
});

test('a page of another version is not read', () => {
  assert.equal(readStats(page(1, [{ queue: 0, tid: 11 }], STATS_VERSION + 1)), null);
});

test('a thread whose target has a connection has published it, and others have none', () => {
  const path = page(2, [
    { queue: 0, tid: 11 },
    { queue: 1, tid: 12 },
  ]);
  assert.deepEqual(readStats(path)?.connections, []);
  const bytes = readFileSync(path);
  const memory = new Uint8Array(bytes).buffer;
  const { words, counters } = new StatsWriter(memory, blockOffset(1), BLOCK_BYTES);
  words[Block.threadIndex] = 1;
  const connection = new ConnectionWriter(counters);
  connection.is('waiting');
  connection.reconnected();
  connection.sent(28);
  connection.received(16);
  connection.inFlight(2);
  writeFileSync(path, new Uint8Array(memory));
  const [found, ...others] = readStats(path)?.connections ?? [];
  assert.ok(found !== undefined && Math.abs(found.sinceMs - Date.now()) < 60_000);
  const counted = { thread: 1, state: 'waiting', reconnects: 1, inFlight: 2, sentBytes: 28, receivedBytes: 16 };
  assert.deepEqual([{ ...found, sinceMs: 0 }, others], [{ ...counted, sinceMs: 0 }, []]);
});

function tidsOf(path: string): number[][] | undefined {
  return readStats(path)?.queues.map(({ tids }) => tids);
}

/** The path of a page with one block per pair of queue and thread. */
function page(queues: number, blocks: readonly { queue: number; tid: number }[], version = STATS_VERSION): string {
  const memory = new ArrayBuffer(statsFileBytes(blocks.length));
  const header = new Int32Array(memory);
  header[Header.magic] = STATS_MAGIC;
  header[Header.version] = version;
  header[Header.nrQueues] = queues;
  header[Header.nrBlocks] = blocks.length;
  blocks.forEach(({ queue, tid }, block) => {
    const { words } = new StatsWriter(memory, blockOffset(block), BLOCK_BYTES);
    words[Block.queueId] = queue;
    words[Block.tid] = tid;
  });
  const path = join(directory, 'page');
  writeFileSync(path, new Uint8Array(memory));
  return path;
}
