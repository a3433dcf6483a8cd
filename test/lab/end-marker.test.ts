import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { newEndMarker, untilMarker } from '../../src/lab/end-marker.ts';

const marker = newEndMarker();

test('everything before the marker arrives and nothing after it, however the stream is cut', async () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(bytes, bytes, fc.integer({ min: 1, max: 50 }), async (before, after, chunkLength) => {
      const stream = chunksOf(Buffer.concat([before, marker, after]), chunkLength);
      assert.deepEqual(await read(stream), { bytes: Buffer.from(before), whole: true });
    }),
  );
});

test('a beginning of the marker that is none after all is passed on', async () => {
  const text = Buffer.concat([marker.subarray(0, 20), Buffer.from('x'), marker.subarray(0, 20), marker]);
  const { bytes } = await read(chunksOf(text, 7));
  assert.deepEqual(bytes, text.subarray(0, 41));
});

test('a stream that ends without the marker is known to be cut off', async () => {
  const text = Buffer.concat([Buffer.from('half'), marker.subarray(0, 5)]);
  assert.deepEqual(await read(chunksOf(text, 3)), { bytes: text, whole: false });
});

test('a chunk is passed on before the next one is there', async () => {
  const reader = untilMarker(
    (async function* () {
      yield Buffer.from('prompt: ');
      await new Promise(() => {});
    })(),
    marker,
  );
  assert.deepEqual((await reader.next()).value, Buffer.from('prompt: '));
});

async function* chunksOf(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length);
}

async function read(stream: AsyncIterable<Buffer>): Promise<{ bytes: Buffer; whole: boolean }> {
  const reader = untilMarker(stream, marker);
  const chunks: Buffer[] = [];
  for (;;) {
    const next = await reader.next();
    if (next.done) return { bytes: Buffer.concat(chunks), whole: next.value };
    chunks.push(next.value);
  }
}
