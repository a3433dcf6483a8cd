import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decode, encode, encodeInto } from '../../../src/native/uapi/codec.ts';
import { io_uring_params } from '../../../src/native/uapi/io-uring-structs.ts';
import type { Field, StructLayout } from '../../../src/native/uapi/struct.ts';
import { UBLK_PARAM_TYPE_BASIC, ublk_params } from '../../../src/native/uapi/ublk-params.ts';
import {
  ublk_shmem_buf_reg,
  ublksrv_ctrl_cmd,
  ublksrv_ctrl_dev_info,
  ublksrv_io_cmd,
} from '../../../src/native/uapi/ublk-structs.ts';
import { uapiTables } from './tables.ts';

const { structs } = await uapiTables();

test('the tables that the tests below walk through are all there', () => {
  assert.ok(structs.length >= 34);
});

test('a control command has its golden bytes', () => {
  const bytes = encode(ublksrv_ctrl_cmd, { dev_id: 7, queue_id: 0xffff, len: 24, addr: 0x7fff12345000n, data: 3n });
  assert.equal(hex(bytes), '07000000ffff180000503412ff7f000003000000000000000000000000000000');
});

test('an I/O command carries a negative result', () => {
  const bytes = encode(ublksrv_io_cmd, { q_id: 1, tag: 0x0203, result: -5, addr: 0n });
  assert.equal(hex(bytes), '01000302fbffffff0000000000000000');
  assert.equal(decode(ublksrv_io_cmd, bytes).result, -5);
});

test('device information has its golden bytes', () => {
  const info = { nr_hw_queues: 2, queue_depth: 128, max_io_buf_bytes: 0x80000, dev_id: -1 >>> 0, flags: 1n << 19n };
  assert.equal(
    hex(encode(ublksrv_ctrl_dev_info, info)),
    `020080000000000000000800ffffffff00000000000000000000080000000000${'00'.repeat(32)}`,
  );
});

test('a field left out of a nested struct is zero', () => {
  const bytes = encode(ublk_params, { len: ublk_params.size, types: UBLK_PARAM_TYPE_BASIC, basic: { dev_sectors: 8 } });
  const params = decode(ublk_params, bytes);
  assert.equal(params.basic.dev_sectors, 8);
  assert.equal(params.basic.max_sectors, 0);
  assert.equal(params.integrity.metadata_size, 0);
});

test('every struct comes back as it went in, wherever in its buffer it lies', () => {
  for (const layout of structs) {
    const values = fc.tuple(arbitraryValue(layout), fc.nat(64), fc.nat(64));
    fc.assert(
      fc.property(values, ([value, before, after]) => {
        const buffer = new Uint8Array(before + layout.size + after).fill(0xa5);
        encodeInto(new DataView(buffer.buffer), before, layout, value);
        assert.deepEqual(decode(layout, buffer, before), value);
        // What Node hands out is often a slice of a pool: byteOffset is not zero.
        assert.deepEqual(decode(layout, buffer.subarray(before, before + layout.size)), value);
        assert.ok(buffer.subarray(0, before).every((byte) => byte === 0xa5));
        assert.ok(buffer.subarray(before + layout.size).every((byte) => byte === 0xa5));
      }),
      { numRuns: 50 },
    );
  }
});

test('random bytes decode, or throw the RangeError that names the struct', () => {
  for (const layout of structs) {
    const bytes = fc.uint8Array({ maxLength: layout.size + 8 });
    fc.assert(
      fc.property(bytes, fc.nat(16), (bytes, offset) => {
        try {
          decode(layout, bytes, offset);
        } catch (error) {
          assert.ok(error instanceof RangeError);
          assert.match(error.message, /^struct \w+/);
        }
      }),
    );
  }
});

test('bytes that are too short are refused by name', () => {
  for (const layout of structs) {
    assert.throws(() => decode(layout, new Uint8Array(layout.size - 1)), rangeError(`struct ${layout.name}: `));
    assert.throws(() => decode(layout, new Uint8Array(layout.size), 1), rangeError(`struct ${layout.name}: `));
    assert.throws(() => decode(layout, new Uint8Array(layout.size), -1), rangeError(`struct ${layout.name}: `));
  }
});

test('a number that its field cannot hold is refused by name', () => {
  assert.throws(() => encode(ublksrv_ctrl_cmd, { queue_id: -1 }), rangeError('struct ublksrv_ctrl_cmd.queue_id: -1'));
  assert.throws(() => encode(ublksrv_ctrl_cmd, { addr: 1n << 64n }), rangeError('struct ublksrv_ctrl_cmd.addr: '));
  assert.throws(() => encode(ublksrv_io_cmd, { result: 2 ** 31 }), rangeError('struct ublksrv_io_cmd.result: '));
  assert.throws(() => encode(ublk_shmem_buf_reg, { len: 0.5 }), rangeError('struct ublk_shmem_buf_reg.len: 0.5'));
  assert.throws(
    () => encode(ublk_params, { basic: { dev_sectors: 2 ** 53 } }),
    rangeError('struct ublk_param_basic.dev_sectors: '),
  );
});

test('a size beyond 2^53 is refused rather than rounded', () => {
  const bytes = encode(ublk_params, {});
  bytes[ublk_params.fields.basic.offset + 16 + 7] = 1;
  assert.throws(() => decode(ublk_params, bytes), rangeError('struct ublk_param_basic.dev_sectors: '));
});

test('reserved bytes are cleared, though the buffer was used before', () => {
  const bytes = new Uint8Array(io_uring_params.size).fill(0xff);
  encodeInto(new DataView(bytes.buffer), 0, io_uring_params, {});
  assert.ok(bytes.every((byte) => byte === 0));
});

test('the fields of a struct neither overlap nor leave a hole that alignment does not explain', () => {
  for (const layout of structs) {
    let end = 0;
    for (const [name, field] of Object.entries(layout.fields)) {
      const gap = field.offset - end;
      assert.ok(gap >= 0 && gap < alignment(field), `${layout.name}.${name} after ${gap} bytes`);
      end = field.offset + field.size;
    }
    const widest = Math.max(...Object.values(layout.fields).map(alignment));
    assert.ok(end <= layout.size && layout.size - end < widest, `${layout.name} ends at ${end} of ${layout.size}`);
  }
});

function arbitraryValue(layout: StructLayout): fc.Arbitrary<Record<string, never>> {
  const fields = Object.entries(layout.fields).flatMap(([name, field]) => {
    const values = arbitraryField(field);
    return values === undefined ? [] : [[name, values] as const];
  });
  return fc.record(Object.fromEntries(fields), { noNullPrototype: true }) as fc.Arbitrary<Record<string, never>>;
}

function arbitraryField(field: Field): fc.Arbitrary<unknown> | undefined {
  switch (field.kind) {
    case 'reserved':
      return undefined;
    case 'struct':
      return arbitraryValue(field.layout);
    case 'u64':
      return fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    case 's64':
      return fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
    case 's32':
      return fc.integer();
    case 'size64':
      return fc.maxSafeNat();
    default:
      return fc.nat(2 ** (8 * Math.min(field.size, 3)) - 1).map((low) => (field.size === 4 ? low * 256 + 255 : low));
  }
}

function alignment(field: Field): number {
  if (field.kind !== 'struct') return field.kind === 'reserved' ? 1 : field.size;
  return Math.max(...Object.values(field.layout.fields).map(alignment));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function rangeError(start: string): (error: unknown) => boolean {
  return (error) => error instanceof RangeError && error.message.startsWith(start);
}
