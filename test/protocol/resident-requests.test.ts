/** The requests to a resident server: what one side encodes, the other reads; anything else is refused in a sentence. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { UblkError } from '../../src/errors.ts';
import { frameText, HEADER_BYTES, PROTOCOL_VERSION } from '../../src/protocol/frame.ts';
import {
  encodeResidentRequest,
  parseResidentRequest,
  type ResidentRequest,
} from '../../src/protocol/resident-requests.ts';

const requests: fc.Arbitrary<ResidentRequest> = fc.oneof(
  fc.record({ op: fc.constant('status' as const) }, { noNullPrototype: true }),
  fc.record(
    {
      op: fc.constant('start' as const),
      device: fc.nat(),
      mode: fc.constantFrom('add' as const, 'recover' as const),
      attempt: fc.string(),
      mounts: fc.string(),
      network: fc.string(),
    },
    { noNullPrototype: true, requiredKeys: ['op', 'device', 'mode', 'mounts'] },
  ),
  fc.record({ op: fc.constantFrom('follow' as const, 'end' as const) }, { noNullPrototype: true }),
  fc.record({ op: fc.constant('quiesce' as const), device: fc.nat() }, { noNullPrototype: true }),
);

function refused(payload: string): void {
  assert.throws(() => parseResidentRequest(payload), { name: 'UblkError', code: 'EBADMSG' });
}

describe('a request to a resident server', () => {
  test('is read as it was meant', () => {
    fc.assert(
      fc.property(requests, (request) => {
        const frame = encodeResidentRequest(request);
        assert.equal(frame.readUInt16LE(4), PROTOCOL_VERSION);
        assert.deepEqual(parseResidentRequest(frameText(frame.subarray(HEADER_BYTES))), request);
      }),
    );
  });

  test('that is none is refused', () => {
    for (const payload of ['', '[]', '{}', '{"op":"list"}', '{"op":"start","device":-1}', '{"op":"quiesce"}']) {
      refused(payload);
    }
    refused('{"op":"start","device":0,"mode":"stop","mounts":""}');
    refused('{"op":"start","device":0,"mode":"add"}');
    refused('{"op":"start","device":0,"mode":"add","mounts":"","network":1}');
    refused('{"op":"start","device":0,"mode":"add","mounts":"","attempt":1}');
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          parseResidentRequest(JSON.stringify(value));
        } catch (error) {
          assert.ok(error instanceof UblkError);
        }
      }),
    );
  });
});
