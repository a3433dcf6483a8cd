/** What src/native/uapi says, against what the C compiler makes of the headers of the kernel that runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode } from '../../src/native/uapi/codec.ts';
import type { Field, StructLayout } from '../../src/native/uapi/struct.ts';
import {
  encodeUserCopyPosition,
  ublk_auto_buf_reg_to_sqe_addr,
  ublk_shmem_zc_addr,
} from '../../src/native/uapi/ublk-addresses.ts';
import { UBLK_F_IO_DESC_SIZE } from '../../src/native/uapi/ublk-features.ts';
import { ublksrv_get_flags, ublksrv_get_op } from '../../src/native/uapi/ublk-io.ts';
import { uapiTables } from '../native/uapi/tables.ts';
import { skip } from './guest.ts';
import { evaluate, runC, ublkNames } from './support/c-program.ts';

const { constants, structs } = await uapiTables();

test("every constant is the header's", { skip }, () => {
  const theirs = evaluate([...constants.keys()]);
  assert.deepEqual(new Map(constants), theirs);
});

test('every struct has the size, offsets and signs that C gives it', { skip }, () => {
  const ours = new Map(structs.flatMap(layoutFacts));
  assert.deepEqual(ours, evaluate([...ours.keys()]));
});

test('every struct encodes to the bytes that C writes', { skip }, () => {
  const lines = runC(structs.flatMap(fillInC));
  const theirs = Object.fromEntries(structs.map((layout, i) => [layout.name, lines[i]]));
  const ours = structs.map((layout) => [layout.name, Buffer.from(encode(layout, filled(layout))).toString('hex')]);
  assert.deepEqual(Object.fromEntries(ours), theirs);
});

test('packed addresses are what the inline functions make', { skip }, () => {
  const op_flags = 0x8a000f05;
  const iod = `&(struct ublksrv_io_desc){.op_flags = ${op_flags}u}`;
  const ours = new Map<string, bigint>([
    ['ublk_shmem_zc_addr(0xfffe, 0xfffff000u)', ublk_shmem_zc_addr(0xfffe, 0xfffff000)],
    [
      'ublk_auto_buf_reg_to_sqe_addr(&(struct ublk_auto_buf_reg){.index = 0xfffe, .flags = 1})',
      BigInt(ublk_auto_buf_reg_to_sqe_addr(0xfffe, 1)),
    ],
    [`ublksrv_get_op(${iod})`, BigInt(ublksrv_get_op(op_flags))],
    [`ublksrv_get_flags(${iod})`, BigInt(ublksrv_get_flags(op_flags))],
    // kublk's ublk_user_copy_offset, spelled with the header's names
    [
      'UBLKSRV_IO_BUF_OFFSET + (4095ULL << UBLK_QID_OFF | 4095ULL << UBLK_TAG_OFF | 512) | UBLKSRV_IO_INTEGRITY_FLAG',
      encodeUserCopyPosition({ q_id: 4095, tag: 4095, offset: 512, integrity: true }),
    ],
  ]);
  assert.deepEqual(ours, evaluate([...ours.keys()]));
});

test('nothing of ublk_cmd.h is missing', { skip }, (context) => {
  const theirs = ublkNames();
  const known = new Set(structs.map((layout) => layout.name));
  const missing = [
    ...theirs.macros.filter((name) => !constants.has(name)),
    ...theirs.structs.filter((name) => !known.has(name)),
  ];
  assert.ok(theirs.macros.length > 100 && theirs.structs.length > 10, 'the header was read');
  // A header newer than ours has more features, and more that goes with them: worth knowing, no fault of our tables.
  const features = evaluate(missing.filter((name) => name.startsWith('UBLK_F_')));
  const newer = [...features.values()].some((flag) => flag > UBLK_F_IO_DESC_SIZE);
  if (newer) context.diagnostic(`newer than Linux 7.3, not in our tables: ${missing.join(' ')}`);
  else assert.deepEqual(missing, []);
});

function layoutFacts(layout: StructLayout): [string, bigint][] {
  const type = `struct ${layout.name}`;
  const facts: [string, bigint][] = [[`sizeof(${type})`, BigInt(layout.size)]];
  for (const [name, field] of named(layout)) {
    const member = memberName(layout, name);
    facts.push([`offsetof(${type}, ${member})`, BigInt(field.offset)]);
    facts.push([`sizeof(((${type} *)0)->${member})`, BigInt(field.size)]);
    if (field.kind === 'reserved' || field.kind === 'struct') continue;
    const signed = field.kind === 's32' || field.kind === 's64';
    facts.push([`(__typeof__(((${type} *)0)->${member}))-1 < 1`, signed ? 1n : 0n]);
  }
  return facts;
}

/** The fields that C has too: what begins with `unused` is several of C's. */
function named(layout: StructLayout): [string, Field][] {
  const all = [...Object.entries(layout.fields), ...Object.entries<Field>(layout.aliases)];
  return all.filter(([name]) => !name.startsWith('unused'));
}

// The one field whose C type is an array of one.
function memberName(layout: StructLayout, name: string): string {
  return layout.name === 'ublksrv_ctrl_cmd' && name === 'data' ? 'data[0]' : name;
}

/** Every field with bytes of its own: 0x11, 0x12 ... from the field's offset on, so that a swap shows. */
function pattern(field: Field, base: number): bigint {
  let value = 0n;
  // Six bytes at most: a size that is kept as a number holds no eight.
  for (let i = 0; i < Math.min(field.size, 6); i++)
    value |= BigInt((base + field.offset + i + 0x11) & 0x7f) << BigInt(8 * i);
  return value;
}

function fillInC(layout: StructLayout): string[] {
  const assignments = assign(layout, '', 0);
  return [`{ struct ${layout.name} x; memset(&x, 0, sizeof(x));`, ...assignments, `bytes(&x, sizeof(x)); }`];
}

function assign(layout: StructLayout, prefix: string, base: number): string[] {
  return Object.entries(layout.fields).flatMap(([name, field]) => {
    if (field.kind === 'reserved') return [];
    if (field.kind === 'struct') return assign(field.layout, `${prefix}${name}.`, base + field.offset);
    return [`x.${prefix}${memberName(layout, name)} = ${pattern(field, base)}ULL;`];
  });
}

function filled(layout: StructLayout, base = 0): Record<string, never> {
  const value: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(layout.fields)) {
    if (field.kind === 'reserved') continue;
    if (field.kind === 'struct') value[name] = filled(field.layout, base + field.offset);
    else
      value[name] = field.kind === 'u64' || field.kind === 's64' ? pattern(field, base) : Number(pattern(field, base));
  }
  return value as Record<string, never>;
}
