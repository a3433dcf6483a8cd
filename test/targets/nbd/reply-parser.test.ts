/** The parser of replies: everything that a server may send, in pieces of any length, and everything that it may not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { NBD_REPLY_TYPE_NONE, NBD_REPLY_TYPE_OFFSET_DATA } from '../../../src/targets/nbd/protocol/numbers.ts';
import { ReplyParser, type ReplySink } from '../../../src/targets/nbd/transmission/reply-parser.ts';
import { encodeChunk, encodeDataChunk, encodeErrorChunk, encodeHoleChunk, encodeSimpleReply } from './server-side.ts';

const DONE = 1;
const START = 0xffff_fe00;

/** Requests that wait, with the memory of each between two guards. A request is `length` bytes at START; 0: not a read. */
class Client implements ReplySink {
  readonly finished: (readonly [slot: number, error: number])[] = [];
  readonly parser: ReplyParser;
  readonly data: Buffer[];
  private readonly staging: Buffer;
  private readonly lengths: readonly number[];
  private readonly waiting: Set<number>;

  constructor(lengths: readonly number[], structured: boolean, room = 64) {
    this.lengths = lengths;
    this.waiting = new Set(lengths.keys());
    this.data = lengths.map((length) => Buffer.alloc(length, 0xee));
    this.staging = Buffer.alloc(room);
    this.parser = new ReplyParser(this.staging, lengths.length, structured, this);
  }

  slotOf(lo: number, hi: number): number {
    return hi === 7 && this.waiting.has(lo) ? lo : -1;
  }

  bytesOf(slot: number): number {
    return this.lengths[slot] ?? Number.NaN;
  }

  offsetLoOf(): number {
    return START | 0;
  }

  offsetHiOf(): number {
    return 1;
  }

  copy(slot: number, at: number, from: number, length: number): void {
    this.requireWithin(slot, at, length);
    assert.ok(from >= 0 && from + length <= this.staging.length, 'within what has come');
    this.staging.copy(this.data[slot]!, at, from, from + length);
  }

  zero(slot: number, at: number, length: number): void {
    this.requireWithin(slot, at, length);
    this.data[slot]!.fill(0, at, at + length);
  }

  finish(slot: number, error: number): void {
    assert.ok(this.waiting.delete(slot), 'a request is finished once');
    this.finished.push([slot, error]);
  }

  /** Receives as the queue does. `pieces` are the most bytes of each receive. Returns what the server did wrong. */
  receive(bytes: Uint8Array, pieces: readonly number[] = [], direct = 40): string {
    let piece = 0;
    for (let at = 0; at < bytes.length; ) {
      const most = pieces[piece++] ?? bytes.length;
      const { parser } = this;
      if (parser.left >= direct && parser.end === 0) {
        const length = Math.min(parser.left, most, bytes.length - at);
        this.requireWithin(parser.slot, parser.at, parser.left);
        this.data[parser.slot]!.set(bytes.subarray(at, at + length), parser.at);
        parser.placed(length);
        at += length;
        continue;
      }
      assert.ok(parser.room > 0, 'there is always room for more');
      const length = Math.min(parser.room, most, bytes.length - at);
      this.staging.set(bytes.subarray(at, at + length), parser.end);
      at += length;
      if (!parser.parse(length)) return parser.problem;
    }
    return '';
  }

  private requireWithin(slot: number, at: number, length: number): void {
    assert.ok(this.waiting.has(slot), 'the request waits');
    assert.ok(at >= 0 && length > 0 && at + length <= this.bytesOf(slot), `${at} + ${length} of ${this.bytesOf(slot)}`);
  }
}

const cookie = (slot: number): bigint => (7n << 32n) | BigInt(slot);
const offset = (at: number): bigint => (1n << 32n) + BigInt(START + at);
const bytesFor = (slot: number, length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, at) => (slot * 31 + at) & 0xff));

/** The chunks of a read of `length` bytes, cut at these places; every third one is a hole. */
function chunksOf(slot: number, length: number, cuts: readonly number[]): { chunks: Buffer[]; data: Buffer } {
  const places = [...new Set([0, ...cuts.map((cut) => cut % length), length])].toSorted((a, b) => a - b);
  const data = bytesFor(slot, length);
  const chunks = places.slice(1).map((end, index) => {
    const begin = places[index]!;
    if (index % 3 !== 2) return encodeDataChunk(cookie(slot), 0, offset(begin), data.subarray(begin, end));
    data.fill(0, begin, end);
    return encodeHoleChunk(cookie(slot), 0, offset(begin), end - begin);
  });
  return { chunks: [...chunks, encodeChunk(cookie(slot), NBD_REPLY_TYPE_NONE, DONE)], data };
}

const lengths = fc.array(fc.constantFrom(0, 1, 8, 39, 40, 41, 100, 512), { minLength: 1, maxLength: 8 });
const pieces = fc.array(fc.integer({ min: 1, max: 70 }), { maxLength: 100 });

describe('simple replies', () => {
  test('give every read its data, in any order and in pieces of any length', () => {
    const order = lengths.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray([...all.keys()], { minLength: all.length })),
    );
    fc.assert(
      fc.property(order, pieces, ([all, slots], cut) => {
        const client = new Client(all, false);
        const bytes = Buffer.concat(
          slots.map((slot) => encodeSimpleReply(cookie(slot), 0, bytesFor(slot, all[slot]!))),
        );
        assert.equal(client.receive(bytes, cut), '');
        assert.deepEqual(
          client.finished,
          slots.map((slot) => [slot, 0]),
        );
        for (const slot of slots) assert.ok(client.data[slot]!.equals(bytesFor(slot, all[slot]!)));
      }),
    );
  });

  test('with an error have no data', () => {
    const client = new Client([100, 100], false);
    const bytes = Buffer.concat([encodeSimpleReply(cookie(0), 28), encodeSimpleReply(cookie(1), 0, bytesFor(1, 100))]);
    assert.equal(client.receive(bytes), '');
    assert.deepEqual(client.finished, [
      [0, 28],
      [1, 0],
    ]);
  });
});

describe('structured replies', () => {
  test('give every read its data and its holes, in chunks that are mixed with those of others', () => {
    const cuts = fc.array(fc.nat(600), { maxLength: 6 });
    fc.assert(
      fc.property(lengths, cuts, pieces, fc.nat(), (all, places, cut, seed) => {
        const parts = all.map((length, slot) =>
          length === 0
            ? { chunks: [encodeSimpleReply(cookie(slot))], data: Buffer.alloc(0) }
            : chunksOf(slot, length, places),
        );
        const mixed: Buffer[] = [];
        const queues = parts.map(({ chunks }) => [...chunks]);
        for (let turn = seed; queues.some((queue) => queue.length > 0); turn = (turn * 7 + 3) % 1009) {
          const full = queues.filter((queue) => queue.length > 0);
          mixed.push(full[turn % full.length]!.shift()!);
        }
        const client = new Client(all, true);
        assert.equal(client.receive(Buffer.concat(mixed), cut), '');
        assert.equal(client.finished.length, all.length);
        assert.ok(client.finished.every(([, error]) => error === 0));
        for (const [slot, { data }] of parts.entries()) assert.ok(client.data[slot]!.equals(data), `slot ${slot}`);
      }),
    );
  });

  test('may come in any order', () => {
    const data = bytesFor(0, 100);
    const chunks = [60, 20, 80, 0, 40].map((at) =>
      encodeDataChunk(cookie(0), 0, offset(at), data.subarray(at, at + 20)),
    );
    const client = new Client([100], true);
    const none = encodeChunk(cookie(0), NBD_REPLY_TYPE_NONE, DONE);
    assert.equal(client.receive(Buffer.concat([...chunks, none]), [3, 50, 7]), '');
    assert.deepEqual(client.finished, [[0, 0]]);
    assert.ok(client.data[0]!.equals(data));
  });

  test('report the first error, whatever else comes', () => {
    const client = new Client([100], true);
    const chunks = [
      encodeErrorChunk(
        cookie(0),
        0,
        28,
        'the disk is full, and this text is longer than the staging buffer of the test is',
      ),
      encodeErrorChunk(cookie(0), DONE, 5, ''),
    ];
    assert.equal(client.receive(Buffer.concat(chunks), [3, 1, 50]), '');
    assert.deepEqual(client.finished, [[0, 28]]);
  });

  test('that leave a part of a read out fail it', () => {
    const client = new Client([100], true);
    assert.equal(client.receive(encodeDataChunk(cookie(0), DONE, offset(0), bytesFor(0, 99))), '');
    assert.deepEqual(client.finished, [[0, 5]]);
  });
});

describe('a server that does not follow the protocol', () => {
  for (const [what, structured, bytes, why] of [
    ['a wrong magic number', false, Buffer.alloc(16, 1), /wrong magic/],
    ['a reply to a request that there is not', false, encodeSimpleReply(cookie(9)), /is not waiting for a reply/],
    ['a cookie of an earlier request', false, encodeSimpleReply(6n << 32n), /is not waiting for a reply/],
    [
      'a reply that comes twice',
      false,
      Buffer.concat([encodeSimpleReply(cookie(1)), encodeSimpleReply(cookie(1))]),
      /is not waiting for a reply/,
    ],
    [
      'a structured reply that nobody asked for',
      false,
      encodeChunk(cookie(0), 0, DONE),
      /although none were agreed on/,
    ],
    [
      'a simple reply with data after it agreed to structured ones',
      true,
      encodeSimpleReply(cookie(0), 0, Buffer.alloc(9)),
      /simple reply/,
    ],
    ['data behind the end', true, encodeDataChunk(cookie(0), DONE, offset(99), Buffer.alloc(2)), /not within/],
    ['data before the start', true, encodeDataChunk(cookie(0), DONE, offset(-1), Buffer.alloc(2)), /not within/],
    ['data 4 GiB behind', true, encodeDataChunk(cookie(0), DONE, offset(2 ** 32), Buffer.alloc(2)), /not within/],
    ['data without data', true, encodeDataChunk(cookie(0), DONE, offset(0), Buffer.alloc(0)), /without data/],
    [
      'data for a command that reads nothing',
      true,
      encodeDataChunk(cookie(1), DONE, offset(0), Buffer.alloc(1)),
      /not within/,
    ],
    [
      'a chunk of 4 GiB',
      true,
      encodeChunk(cookie(0), NBD_REPLY_TYPE_OFFSET_DATA, 0, Buffer.alloc(20), 0xffff_ffff),
      /not within/,
    ],
    ['a hole of 4 GiB', true, encodeHoleChunk(cookie(0), DONE, offset(0), 0xffff_ffff), /not within/],
    ['a hole of nothing', true, encodeHoleChunk(cookie(0), DONE, offset(0), 0), /not within/],
    ['the same data again', true, Buffer.concat([piece(0, 60), piece(0, 60)]), /part of a read twice/],
    ['data that overlaps, and has the length of the read', true, Buffer.concat([piece(0, 50), piece(40, 90)]), /twice/],
    [
      'a hole over data',
      true,
      Buffer.concat([piece(0, 50), encodeHoleChunk(cookie(0), DONE, offset(49), 50)]),
      /twice/,
    ],
    ['an error of a megabyte', true, encodeChunk(cookie(0), 0x8001, DONE, Buffer.alloc(20), 1 << 20), /wrong length/],
    ['an unknown kind of chunk', true, encodeChunk(cookie(0), 77, DONE), /unknown type/],
    ['an empty chunk that is not the last', true, encodeChunk(cookie(0), NBD_REPLY_TYPE_NONE, 0), /of the type NONE/],
  ] as const) {
    test(`is caught at ${what}`, () => {
      const client = new Client([100, 0], structured);
      assert.match(client.receive(Buffer.concat([bytes, Buffer.alloc(30)])), why);
    });
  }

  for (const structured of [false, true]) {
    test(`never reaches outside of a request, whatever comes in place of ${structured ? 'structured' : 'simple'} replies`, () => {
      const good = structured
        ? Buffer.concat([0, 1, 2].flatMap((slot) => chunksOf(slot, 100, [10, 50, 70]).chunks))
        : Buffer.concat([0, 1, 2].map((slot) => encodeSimpleReply(cookie(slot), 0, bytesFor(slot, 100))));
      const changes = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 });
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 400 }),
        changes.map((all) => {
          const copy = Buffer.from(good);
          for (const [at, value] of all) copy[at] = value;
          return copy;
        }),
      );
      // The client asserts that each position is within its request.
      fc.assert(
        fc.property(bytes, pieces, (come, cut) => void new Client([100, 100, 100], structured).receive(come, cut)),
        { numRuns: 12_500 },
      );
    });
  }
});

/** A chunk with the data of slot 0 from byte `begin` to `end`. */
function piece(begin: number, end: number): Buffer {
  return encodeDataChunk(cookie(0), 0, offset(begin), bytesFor(0, end - begin));
}
