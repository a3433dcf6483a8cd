/** An error arrives as it was thrown, whichever way it travels between our processes. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { FAILURE_KINDS, type Text, UblkError } from '../../src/errors.ts';
import { decodeError, encodeError } from '../../src/protocol/error-wire.ts';
import { decodeStartReport, encodeStartReport, RUNS } from '../../src/protocol/start-report.ts';

const texts: fc.Arbitrary<Text> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(
    fc.oneof(
      fc.string(),
      fc.string().map((option) => ({ option })),
    ),
  ),
);
const errors = fc
  .tuple(
    texts,
    fc.record(
      {
        code: fc.string(),
        kind: fc.constantFrom(...FAILURE_KINDS),
        command: fc.string(),
        device: fc.nat(),
        hint: texts,
      },
      { requiredKeys: ['code'] },
    ),
  )
  .map(([text, details]) => new UblkError(text, details));

function fieldsOf(error: UblkError): object {
  const { text, message, code, kind, command, device, hint, hintText } = error;
  return { text, message, code, kind, command, device, hint, hintText };
}

const REFUSED = new UblkError(['make ', { option: 'threads' }, ' 2'], {
  code: 'EBUSY',
  command: 'ADD_DEV',
  device: 3,
  hint: ['add ', { option: 'features.BATCH_IO' }],
});

describe("an error's wire form", () => {
  test('golden bytes', () => {
    assert.equal(
      JSON.stringify(encodeError(REFUSED)),
      '{"message":["make ",{"option":"threads"}," 2"],"code":"EBUSY","kind":"busy","command":"ADD_DEV","device":3,"hint":["add ",{"option":"features.BATCH_IO"}]}',
    );
  });

  test('loses nothing', () => {
    fc.assert(
      fc.property(errors, (error) => {
        const there: unknown = JSON.parse(JSON.stringify(encodeError(error)));
        assert.deepEqual(fieldsOf(decodeError(there)), fieldsOf(error));
      }),
    );
  });

  test('of any other thrown value is INTERNAL, with where it came from', () => {
    const error = decodeError(encodeError(new RangeError('no')));
    assert.equal(error.code, 'INTERNAL');
    assert.match(error.message, /RangeError: no\n +at /);
    assert.equal(decodeError(encodeError('thrown text')).message, 'thrown text');
  });

  test('is never mistaken: any JSON gives an error', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => assert.ok(decodeError(value) instanceof UblkError)));
    assert.equal(decodeError(null).code, 'EBADMSG');
    assert.equal(decodeError({ message: [{ flag: '-q' }], code: 'EIO' }).code, 'EBADMSG');
  });
});

describe('the start report', () => {
  test('golden bytes', () => {
    assert.equal(encodeStartReport({ ready: true, notes: ['a'] }), '{"ready":true,"notes":["a"]}\n');
    assert.match(encodeStartReport({ ready: false, error: REFUSED }), /^\{"ready":false,"error":\{"message":.*\}\}\n$/);
  });

  test('arrives as it was sent, in pieces of any size', () => {
    fc.assert(
      fc.property(fc.oneof(errors, fc.array(fc.string())), fc.nat(), (content, cut) => {
        const report =
          content instanceof UblkError
            ? { ready: false as const, error: content }
            : { ready: true as const, notes: content };
        const line = encodeStartReport(report);
        assert.equal(decodeStartReport(line.slice(0, cut % line.length)), null, 'not all of it has come');
        const there = decodeStartReport(`${RUNS}${line}`);
        assert.ok(there !== null);
        if (report.ready) assert.deepEqual(there, report);
        else
          assert.ok(!there.ready && JSON.stringify(fieldsOf(there.error)) === JSON.stringify(fieldsOf(report.error)));
      }),
    );
  });

  test('that cannot be read is an error, and never a ready device', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (line) => {
        const report = decodeStartReport(`${line}\n`);
        assert.equal(report?.ready, false);
      }),
    );
    assert.equal(decodeStartReport('{"ready":true,"notes":[1]}\n')?.ready, false);
  });
});
