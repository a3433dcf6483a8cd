import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { StripeMap } from '../../src/targets/stripe/stripe-map.ts';
import { maxRequestBytes, vectorsPerFile } from '../../src/targets/stripe/vectors.ts';

/** Where sector `s` of the device is, straight from the definition. */
function model(s: number, files: number, chunk: number): { file: number; sector: number } {
  const number = Math.floor(s / chunk);
  return { file: number % files, sector: Math.floor(number / files) * chunk + (s % chunk) };
}

interface Request {
  readonly files: number;
  readonly shift: number;
  readonly start: number;
  readonly sectors: number;
}

const request: fc.Arbitrary<Request> = fc.record({
  files: fc.integer({ min: 1, max: 32 }),
  shift: fc.integer({ min: 3, max: 10 }),
  // Small numbers for the edges of chunks and rows, large ones for the high words.
  start: fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.integer({ min: 0, max: 2 ** 43 })),
  sectors: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 2048 })),
});

function split(map: StripeMap, { start, sectors }: Request): number {
  return map.split(start | 0, Math.floor(start / 2 ** 32), sectors);
}

/** The byte in the file where a part begins, as one number. */
function offset(map: StripeMap, part: number): number {
  return (map.offsetLo[part]! >>> 0) + map.offsetHi[part]! * 2 ** 32;
}

/** Every sector of the request, in its order, with where the map says it goes. */
function sectorsOf(map: StripeMap, parts: number): ({ file: number; sector: number } | undefined)[] {
  const seen: ({ file: number; sector: number } | undefined)[] = [];
  for (let part = 0; part < parts; part++) {
    for (let skip = 0; skip < map.sectors[part]!; ) {
      const run = map.runAt(part, skip);
      assert.ok(run > 0);
      for (let i = 0; i < run; i++) {
        const at = map.sectorAt(part, skip) + i;
        assert.equal(seen[at], undefined, 'no sector goes to two places');
        seen[at] = { file: map.file[part]!, sector: offset(map, part) / 512 + skip + i };
      }
      skip += run;
    }
  }
  return seen;
}

describe('the stripe map', () => {
  test('puts every sector where the definition says', () => {
    fc.assert(
      fc.property(request, (asked) => {
        const { files, shift, start, sectors } = asked;
        const map = new StripeMap(files, shift);
        const wanted = Array.from({ length: sectors }, (_, i) => model(start + i, files, 1 << shift));
        assert.deepEqual(sectorsOf(map, split(map, asked)), wanted);
      }),
      { numRuns: 500 },
    );
  });

  test('names each file once', () => {
    fc.assert(
      fc.property(request, (asked) => {
        const map = new StripeMap(asked.files, asked.shift);
        const parts = split(map, asked);
        const named = [...map.file.subarray(0, parts)];
        assert.equal(new Set(named).size, parts);
        assert.ok(map.sectors.subarray(0, parts).every((sectors) => sectors > 0));
      }),
    );
  });

  test('can start anywhere in a part, which is how a short operation goes on', () => {
    fc.assert(
      fc.property(request, fc.nat(), (asked, pick) => {
        const { files, shift, start } = asked;
        const map = new StripeMap(files, shift);
        const part = pick % split(map, asked);
        const skip = pick % map.sectors[part]!;
        const where = model(start + map.sectorAt(part, skip), files, 1 << shift);
        assert.deepEqual(where, { file: map.file[part]!, sector: offset(map, part) / 512 + skip });
      }),
    );
  });

  test('a discard of gigabytes is one range a file', () => {
    const map = new StripeMap(3, 7);
    const sectors = 4_194_296;
    const parts = map.split(5, 1, sectors);
    assert.equal(parts, 3);
    assert.equal(
      map.sectors.reduce((sum, part) => sum + part),
      sectors,
    );
  });
});

describe('stripe vectors', () => {
  test('have room for the largest request, wherever it starts', () => {
    fc.assert(
      fc.property(request, fc.constantFrom(4096, 65536, 1 << 20), (asked, bytes) => {
        const { files, shift, start } = asked;
        const map = new StripeMap(files, shift);
        const parts = map.split(start | 0, Math.floor(start / 2 ** 32), bytes / 512);
        const room = vectorsPerFile(bytes, files, 512 << shift);
        for (let part = 0; part < parts; part++) {
          let runs = 0;
          for (let skip = 0; skip < map.sectors[part]!; runs++) skip += map.runAt(part, skip);
          assert.ok(runs <= room, `${runs} of ${room}`);
        }
      }),
    );
  });

  test('are never more than one operation takes', () => {
    for (let files = 2; files <= 32; files++) {
      for (const chunk of [4096, 65536, 524288])
        assert.ok(vectorsPerFile(maxRequestBytes(files, chunk), files, chunk) <= 1024);
    }
  });
});
