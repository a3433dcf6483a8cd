/** Frames that come in pieces of any size are the frames that were sent. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { FrameReader, NotAFrame } from '../../src/protocol/frame-reader.ts';
import { encodeFrame, encodeStatus } from '../../src/protocol/frame.ts';

describe('a stream of frames', () => {
  test('is taken apart, wherever it is cut', () => {
    const contents = fc.array(fc.record({ event: fc.string() }, { noNullPrototype: true }), { maxLength: 5 });
    fc.assert(
      fc.property(contents, fc.array(fc.nat(200)), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(encodeFrame));
        const reader = new FrameReader();
        const heard: unknown[] = [];
        let from = 0;
        for (const to of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
          if (to < from) continue;
          heard.push(...reader.push(bytes.subarray(from, to)).map((payload) => JSON.parse(payload) as unknown));
          from = Math.min(to, bytes.length);
        }
        assert.deepEqual(heard, sent);
      }),
    );
  });

  test('that is none is refused at its first byte', () => {
    assert.throws(() => new FrameReader().push(encodeStatus(-16)), NotAFrame);
    assert.throws(() => new FrameReader().push(Buffer.from('x')), NotAFrame);
    const huge = encodeFrame({});
    huge.writeUInt32LE(0xffffffff, 8);
    assert.throws(() => new FrameReader().push(huge), NotAFrame);
  });
});
