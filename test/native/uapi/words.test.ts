import assert from 'node:assert/strict';
import { test } from 'node:test';
import { io_uring_cqe, io_uring_sqe } from '../../../src/native/uapi/io-uring-sqe.ts';
import * as ring from '../../../src/native/uapi/io-uring-words.ts';
import { ublksrv_ctrl_cmd, ublksrv_io_cmd, ublksrv_io_desc } from '../../../src/native/uapi/ublk-structs.ts';
import * as ublk from '../../../src/native/uapi/ublk-words.ts';

test('SQE words are where the fields are', () => {
  const { fields, aliases } = io_uring_sqe;
  assert.deepEqual(
    pick(ring, 'SQE_WORD_'),
    words({
      OPCODE: fields.opcode,
      FD: fields.fd,
      OFF_LO: fields.off,
      OFF_HI: high(fields.off),
      CMD_OP: aliases['cmd_op'],
      ADDR_LO: fields.addr,
      ADDR_HI: high(fields.addr),
      LEN: fields.len,
      OP_FLAGS: fields.rw_flags,
      USER_DATA_LO: fields.user_data,
      USER_DATA_HI: high(fields.user_data),
      BUF_INDEX: fields.buf_index,
      FILE_INDEX: fields.file_index,
      ADDR3_LO: fields.addr3,
      ADDR3_HI: high(fields.addr3),
      CMD: fields.addr3,
    }),
  );
  assert.equal(ring.SQE_WORDS * 4, io_uring_sqe.size);
  assert.equal(ring.SQE128_WORDS * 4, 2 * io_uring_sqe.size);
  assert.equal(ring.SQE_CMD_OFFSET, fields.addr3.offset);
  assert.equal(ring.SQE_CMD_OFFSET + ring.SQE_CMD_BYTES, io_uring_sqe.size);
  assert.equal(ring.SQE_CMD_OFFSET + ring.SQE128_CMD_BYTES, 2 * io_uring_sqe.size);
});

test('CQE words are where the fields are', () => {
  const { fields } = io_uring_cqe;
  assert.deepEqual(
    pick(ring, 'CQE_WORD_'),
    words({
      USER_DATA_LO: fields.user_data,
      USER_DATA_HI: high(fields.user_data),
      RES: fields.res,
      FLAGS: fields.flags,
    }),
  );
  assert.equal(ring.CQE_WORDS * 4, io_uring_cqe.size);
  assert.equal(ring.CQE32_WORDS * 4, 2 * io_uring_cqe.size);
});

test("an I/O command's words are its fields behind the SQE's first 48 bytes", () => {
  const { fields } = ublksrv_io_cmd;
  assert.deepEqual(
    pick(ublk, 'SQE_WORD_IO_CMD_'),
    words(
      { QID_TAG: fields.q_id, RESULT: fields.result, ADDR_LO: fields.addr, ADDR_HI: high(fields.addr) },
      ring.SQE_CMD_OFFSET,
    ),
  );
});

test("a descriptor's words are where the fields are", () => {
  const { fields } = ublksrv_io_desc;
  assert.deepEqual(
    pick(ublk, 'IO_DESC_WORD_'),
    words({
      OP_FLAGS: fields.op_flags,
      NR_SECTORS: fields.nr_sectors,
      START_SECTOR_LO: fields.start_sector,
      START_SECTOR_HI: high(fields.start_sector),
      ADDR_LO: fields.addr,
      ADDR_HI: high(fields.addr),
    }),
  );
  assert.equal(ublk.IO_DESC_WORDS * 4, ublksrv_io_desc.size);
});

test('a command fits where it is carried', () => {
  assert.ok(ublksrv_io_cmd.size <= ring.SQE_CMD_BYTES);
  assert.ok(ublksrv_ctrl_cmd.size > ring.SQE_CMD_BYTES, 'control commands need IORING_SETUP_SQE128');
  assert.ok(ublksrv_ctrl_cmd.size <= ring.SQE128_CMD_BYTES);
});

interface At {
  readonly offset: number;
}

function high(field: At): At {
  return { offset: field.offset + 4 };
}

function words(fields: Readonly<Record<string, At | undefined>>, base = 0): Record<string, number> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, (base + (field?.offset ?? Number.NaN)) >> 2]),
  );
}

function pick(module: object, prefix: string): Record<string, number> {
  const constants = Object.entries(module as Readonly<Record<string, number>>);
  return Object.fromEntries(
    constants.filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value]),
  );
}
