import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeAnswer, encodeStatus, isWholeAnswer } from '../../src/protocol/frame.ts';

describe('isWholeAnswer', () => {
  const frame = encodeAnswer({ ok: true, value: { index: 3 } });

  test('is true for a frame with its whole payload, and for no beginning of it', () => {
    assert.equal(isWholeAnswer(frame), true);
    for (let length = 0; length < frame.length; length++) assert.equal(isWholeAnswer(frame.subarray(0, length)), false);
  });

  test('is true for the number of kublk, which is no beginning of a frame', () => {
    assert.equal(isWholeAnswer(encodeStatus(-19)), true);
    assert.equal(isWholeAnswer(encodeStatus(0).subarray(0, 3)), false);
  });

  test('is false when more has come than the frame', () => {
    assert.equal(isWholeAnswer(Buffer.concat([frame, Buffer.from('x')])), false);
  });
});
