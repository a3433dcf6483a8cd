/**
 * The request at hand: what a target sees of it (targets/target.ts), over the slot arrays. A thread has one, and points
 * it at each request in turn. Hot path: `load`, `complete` and the operations allocate nothing.
 */
import type { Ring } from '../native/ring/ring.ts';
import {
  IORING_OP_FALLOCATE,
  IORING_OP_FSYNC,
  IORING_OP_READ,
  IORING_OP_READ_FIXED,
  IORING_OP_READV,
  IORING_OP_READV_FIXED,
  IORING_OP_TIMEOUT,
  IORING_OP_WRITE,
  IORING_OP_WRITE_FIXED,
  IORING_OP_WRITEV,
  IORING_OP_WRITEV_FIXED,
} from '../native/uapi/io-uring-opcodes.ts';
import { IORING_FSYNC_DATASYNC } from '../native/uapi/io-uring-sqe-flags.ts';
import {
  UBLK_IO_F_SHMEM_ZC,
  UBLK_IO_OP_READ,
  UBLK_IO_OP_WRITE,
  UBLK_IO_OP_WRITE_ZEROES,
  UBLK_IO_OP_ZONE_APPEND,
} from '../native/uapi/ublk-io.ts';
import { STAT_WAYS } from '../stats/layout.ts';
import type { IoRequest } from '../targets/target.ts';
import { FIXED_FILE } from './char-device.ts';
import type { DataPath } from './data-path/data-path.ts';
import type { Delivery } from './delivery/delivery.ts';
import type { LatencySampler } from './latency.ts';
import type { Slots } from './slots.ts';
import type { ThreadStats } from './thread-stats.ts';
import { KIND_TARGET, userData } from './user-data.ts';

const WAY_MATCHED = STAT_WAYS.indexOf('matched');
const WAY_NONE = STAT_WAYS.indexOf('none');
const STAT_WRITE_ZEROES = 4;
const STAT_OTHER = 5;

export class Request implements IoRequest {
  slot = 0;
  op = 0;
  flags = 0;
  sectors = 0;
  bytes = 0;
  dataLo = 0;
  dataHi = 0;
  /** Index of the registered buffer that holds the data, -1 when it is in memory. */
  bufferIndex = -1;
  /** Not completed yet. */
  open = false;
  /** Word index of the descriptor. */
  private at = 0;

  private readonly ring: Ring;
  private readonly slots: Slots;
  private readonly descriptors: Int32Array;
  private readonly stats: ThreadStats;
  private readonly latency: LatencySampler;
  private readonly firstFile: number;
  private path!: DataPath;
  private delivery!: Delivery;

  constructor(
    ring: Ring,
    slots: Slots,
    descriptors: Int32Array,
    stats: ThreadStats,
    latency: LatencySampler,
    firstFile: number,
  ) {
    this.ring = ring;
    this.slots = slots;
    this.descriptors = descriptors;
    this.stats = stats;
    this.latency = latency;
    this.firstFile = firstFile;
  }

  /** Once, before the first request: the three know each other. */
  connect(path: DataPath, delivery: Delivery): void {
    this.path = path;
    this.delivery = delivery;
  }

  /**
   * Points at `slot` and reads what every request is asked for from its descriptor, which holds still from delivery to
   * commit: the rest is read when it is asked for.
   */
  load(slot: number): void {
    const words = this.descriptors;
    const at = this.slots.descriptor[slot]!;
    const flags = words[at]!;
    const sectors = words[at + 1]!;
    this.slot = slot;
    this.at = at;
    this.flags = flags;
    this.op = flags & 0xff;
    this.sectors = sectors;
    this.bytes = sectors << 9;
  }

  get startLo(): number {
    return this.descriptors[this.at + 2]!;
  }

  get startHi(): number {
    return this.descriptors[this.at + 3]!;
  }

  /** Of a request that matched: its offset in the registered buffer. */
  get matchedOffset(): number {
    return this.descriptors[this.at + 4]!;
  }

  /** Of a request that matched: the registered buffer. */
  get matchedIndex(): number {
    return this.descriptors[this.at + 5]! & 0xffff;
  }

  get matched(): boolean {
    return (this.flags & UBLK_IO_F_SHMEM_ZC) !== 0;
  }

  locate(dataLo: number, dataHi: number, bufferIndex: number): void {
    this.dataLo = dataLo;
    this.dataHi = dataHi;
    this.bufferIndex = bufferIndex;
  }

  get pending(): number {
    return this.slots.pending[this.slot]!;
  }

  get result(): number {
    return this.slots.result[this.slot]!;
  }

  set result(value: number) {
    this.slots.result[this.slot] = value;
  }

  complete(result: number): void {
    const slot = this.slot;
    this.open = false;
    this.count(slot, result);
    // The data of a matched request is in place: the path, which did not bring it, must not take it away either.
    if (this.matched || this.path.depart(this, result)) this.delivery.commit(slot, result);
  }

  read(file: number, offsetLo: number, offsetHi: number, at: number, length: number, token: number): void {
    this.readWrite(IORING_OP_READ, IORING_OP_READ_FIXED, file, offsetLo, offsetHi, at, length, 0, token);
  }

  write(
    file: number,
    offsetLo: number,
    offsetHi: number,
    at: number,
    length: number,
    rwFlags: number,
    token: number,
  ): void {
    this.readWrite(IORING_OP_WRITE, IORING_OP_WRITE_FIXED, file, offsetLo, offsetHi, at, length, rwFlags, token);
  }

  readv(
    file: number,
    offsetLo: number,
    offsetHi: number,
    vecLo: number,
    vecHi: number,
    count: number,
    token: number,
  ): void {
    this.path.attach(this);
    const opcode = this.bufferIndex < 0 ? IORING_OP_READV : IORING_OP_READV_FIXED;
    this.operation(opcode, file, offsetLo, offsetHi, vecLo, vecHi, count, 0, token);
  }

  writev(
    file: number,
    offsetLo: number,
    offsetHi: number,
    vecLo: number,
    vecHi: number,
    count: number,
    rwFlags: number,
    token: number,
  ): void {
    this.path.attach(this);
    const opcode = this.bufferIndex < 0 ? IORING_OP_WRITEV : IORING_OP_WRITEV_FIXED;
    this.operation(opcode, file, offsetLo, offsetHi, vecLo, vecHi, count, rwFlags, token);
  }

  fsync(file: number, token: number): void {
    this.plain(IORING_OP_FSYNC, file, 0, 0, 0, 0, 0, IORING_FSYNC_DATASYNC, token);
  }

  fallocate(
    file: number,
    mode: number,
    offsetLo: number,
    offsetHi: number,
    lengthLo: number,
    lengthHi: number,
    token: number,
  ): void {
    // IORING_OP_FALLOCATE has its length in addr and its mode in len.
    this.plain(IORING_OP_FALLOCATE, file, offsetLo, offsetHi, lengthLo, lengthHi, mode, 0, token);
  }

  timeout(timespecLo: number, timespecHi: number, token: number): void {
    const slot = this.slot;
    this.slots.pending[slot]!++;
    this.ring.reserve(1);
    const user = userData(KIND_TARGET, slot, token);
    this.ring.sq.prepare(IORING_OP_TIMEOUT, -1, 0, 0, timespecLo, timespecHi, 1, 0, 0, user, 0);
  }

  readIntegrity(file: number, offsetLo: number, offsetHi: number, length: number, token: number): void {
    const { integrityLo, integrityHi } = this.slots;
    const slot = this.slot;
    this.plain(IORING_OP_READ, file, offsetLo, offsetHi, integrityLo[slot]!, integrityHi[slot]!, length, 0, token);
  }

  writeIntegrity(file: number, offsetLo: number, offsetHi: number, length: number, token: number): void {
    const { integrityLo, integrityHi } = this.slots;
    const slot = this.slot;
    this.plain(IORING_OP_WRITE, file, offsetLo, offsetHi, integrityLo[slot]!, integrityHi[slot]!, length, 0, token);
  }

  private readWrite(
    plain: number,
    fixed: number,
    file: number,
    offsetLo: number,
    offsetHi: number,
    at: number,
    length: number,
    rwFlags: number,
    token: number,
  ): void {
    this.path.attach(this);
    const lo = (this.dataLo >>> 0) + at;
    const hi = this.dataHi + (lo > 0xffffffff ? 1 : 0);
    const opcode = this.bufferIndex < 0 ? plain : fixed;
    this.operation(opcode, file, offsetLo, offsetHi, lo | 0, hi, length, rwFlags, token);
  }

  private operation(
    opcode: number,
    file: number,
    offsetLo: number,
    offsetHi: number,
    addrLo: number,
    addrHi: number,
    length: number,
    opFlags: number,
    token: number,
  ): void {
    const slot = this.slot;
    this.slots.pending[slot]!++;
    this.ring.reserve(1);
    this.ring.sq.prepare(
      opcode | FIXED_FILE,
      this.firstFile + file,
      offsetLo,
      offsetHi,
      addrLo,
      addrHi,
      length,
      opFlags,
      this.bufferIndex < 0 ? 0 : this.bufferIndex,
      userData(KIND_TARGET, slot, token),
      0,
    );
  }

  /**
   * As `operation`, for what is not done on the request's data, so that no buffer index may be named: fsync and fallocate
   * are refused with one.
   */
  private plain(
    opcode: number,
    file: number,
    offsetLo: number,
    offsetHi: number,
    addrLo: number,
    addrHi: number,
    length: number,
    opFlags: number,
    token: number,
  ): void {
    const slot = this.slot;
    this.slots.pending[slot]!++;
    this.ring.reserve(1);
    const user = userData(KIND_TARGET, slot, token);
    const fd = this.firstFile + file;
    this.ring.sq.prepare(opcode | FIXED_FILE, fd, offsetLo, offsetHi, addrLo, addrHi, length, opFlags, 0, user, 0);
  }

  private count(slot: number, result: number): void {
    const op = this.op;
    const hasData = op === UBLK_IO_OP_READ || op === UBLK_IO_OP_WRITE || op === UBLK_IO_OP_ZONE_APPEND;
    const way = hasData ? (this.matched ? WAY_MATCHED : this.path.way) : WAY_NONE;
    const statOp = op < STAT_WRITE_ZEROES ? op : op === UBLK_IO_OP_WRITE_ZEROES ? STAT_WRITE_ZEROES : STAT_OTHER;
    const stats = this.stats.of(slot);
    stats.finished(statOp, way, result > 0 ? result : 0);
    if (result < 0) stats.failed(statOp);
    this.latency.ended(slot, statOp < 2 ? statOp : 2, stats);
  }
}
