import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { UblkError } from '../../src/errors.ts';
import { classify, encodeRequest, parseRequest, type Request } from '../../src/protocol/buffer-requests.ts';
import {
  decodeAnswer,
  encodeAnswer,
  encodeStatus,
  HEADER_BYTES,
  MAX_REQUEST_BYTES,
  PROTOCOL_VERSION,
} from '../../src/protocol/frame.ts';

const requests: fc.Arbitrary<Request> = fc.oneof(
  fc.record({
    op: fc.constant('register' as const),
    path: fc.string({ maxLength: 200 }).map((name) => `/${name.replaceAll('\0', '')}`),
    readOnly: fc.boolean(),
  }),
  fc.record({ op: fc.constant('register-fd' as const), readOnly: fc.boolean() }),
  fc.record({
    op: fc.constant('create' as const),
    bytes: fc.maxSafeNat(),
    seal: fc.boolean(),
    readOnly: fc.boolean(),
  }),
  fc.record({ op: fc.constant('unregister' as const), index: fc.nat(), inode: fc.stringMatching(/^\d{1,20}$/) }),
  fc.record({ op: fc.constant('unregister' as const), index: fc.nat() }),
  fc.constant({ op: 'unregister-all' as const }),
  fc.constant({ op: 'list' as const }),
);

describe("kublk's protocol", () => {
  test('one byte and a descriptor, whatever the byte', () => {
    for (let byte = 0; byte < 256; byte++) assert.deepEqual(classify(Uint8Array.of(byte), 1), { kind: 'kublk' });
  });

  test('more bytes with a descriptor too: kublk reads the first only', () => {
    assert.deepEqual(classify(Buffer.from('hello'), 1), { kind: 'kublk' });
    assert.deepEqual(classify(Buffer.alloc(4096), 3), { kind: 'kublk' });
  });

  test('without a descriptor it is nothing', () => {
    assert.deepEqual(classify(Uint8Array.of(0), 0), { kind: 'unknown' });
  });

  test('the answer is a little-endian int32', () => {
    assert.deepEqual([...encodeStatus(3)], [3, 0, 0, 0]);
    assert.deepEqual([...encodeStatus(-22)], [0xea, 0xff, 0xff, 0xff]);
    assert.equal(decodeAnswer(encodeStatus(-22)), -22);
  });
});

describe('frames', () => {
  test('golden bytes', () => {
    const frame = encodeRequest({ op: 'list' });
    assert.equal(frame.toString('latin1'), 'ubts\u0001\0\0\0\r\0\0\0{"op":"list"}');
  });

  test('every request comes out as it went in', () => {
    fc.assert(
      fc.property(requests, fc.nat({ max: 2 }), (request, descriptors) => {
        const message = classify(encodeRequest(request), descriptors);
        assert.equal(message.kind, 'frame');
        if (message.kind !== 'frame') return;
        assert.equal(message.version, PROTOCOL_VERSION);
        assert.deepEqual(parseRequest(message.payload), { ...request });
      }),
    );
  });

  test('a request in pieces is waited for; nothing is taken from half of it', () => {
    const frame = encodeRequest({ op: 'register', path: '/dev/shm/x', readOnly: false });
    for (let length = 0; length < frame.length; length++) {
      assert.deepEqual(classify(frame.subarray(0, length), 0), { kind: 'incomplete' }, `${length} bytes`);
    }
  });

  test('the longest path has room, whatever it is made of', () => {
    for (const character of ['x', '\x01', '"', 'ä']) {
      const path = `/${character.repeat(4095 / Buffer.byteLength(character))}`;
      const frame = encodeRequest({ op: 'register', path, readOnly: false });
      const message = classify(frame, 1);
      assert.equal(message.kind, 'frame');
      assert.deepEqual(parseRequest(message.payload), { op: 'register', path, readOnly: false });
    }
  });

  test('too long, or more than it says, is nothing', () => {
    const frame = encodeRequest({ op: 'list' });
    assert.deepEqual(classify(Buffer.concat([frame, Buffer.from('x')]), 0), { kind: 'unknown' });
    const long = Buffer.from(frame);
    long.writeUInt32LE(MAX_REQUEST_BYTES + 1, 8);
    assert.deepEqual(classify(long.subarray(0, HEADER_BYTES), 0), { kind: 'unknown' });
  });

  test('answers come out as they went in', () => {
    const answer = { ok: true as const, value: [1, 2, 3] };
    assert.deepEqual(decodeAnswer(encodeAnswer(answer)), answer);
    const error = { ok: false as const, error: { message: 'no', code: 'EIO', kind: 'failed' as const } };
    assert.deepEqual(decodeAnswer(encodeAnswer(error)), error);
  });

  test('an answer cut short is an error with a name', () => {
    const answer = encodeAnswer({ ok: true, value: null });
    for (let length = 0; length < answer.length; length++) {
      if (length === 4) continue; // as long as kublk's
      assert.throws(() => decodeAnswer(answer.subarray(0, length)), { code: 'ECONNRESET' });
    }
  });
});

describe('whatever is sent', () => {
  test('random bytes are classified, and parsed or refused by name', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat({ max: 3 }), (bytes, descriptors) => {
        assert.ok(['incomplete', 'kublk', 'frame', 'unknown'].includes(classify(bytes, descriptors).kind));
      }),
    );
  });

  test('random bytes as an answer are an answer or an error with a name', () => {
    const framed = fc.string().map((payload) => {
      const bytes = encodeRequest({ op: 'list' }).subarray(0, HEADER_BYTES);
      const content = Buffer.from(payload);
      bytes.writeUInt32LE(content.length, 8);
      return Buffer.concat([bytes, content]);
    });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
          framed,
        ),
        (bytes) => {
          try {
            decodeAnswer(bytes);
          } catch (error) {
            assert.ok(error instanceof UblkError && error.code === 'ECONNRESET', String(error));
          }
        },
      ),
    );
  });

  test('random JSON is a request or a refusal', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (payload) => {
        try {
          parseRequest(payload);
        } catch (error) {
          assert.ok(error instanceof UblkError && error.code === 'EBADMSG', String(error));
        }
      }),
    );
  });

  test('fields of the wrong kind are refused', () => {
    for (const payload of [
      '[]',
      'null',
      '{"op":"format"}',
      '{"op":"register"}',
      '{"op":"register","path":"relative"}',
      '{"op":"register","path":"/a\\u0000b"}',
      '{"op":"register","path":"/a","readOnly":1}',
      '{"op":"create","bytes":-4096}',
      '{"op":"create","bytes":1.5}',
      '{"op":"create","bytes":1e300}',
      '{"op":"unregister","index":"0"}',
      '{"op":"unregister","index":0,"inode":7}',
    ]) {
      assert.throws(() => parseRequest(payload), { code: 'EBADMSG' }, payload);
    }
  });
});
