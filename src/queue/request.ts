/**
 * The request at hand: what a target sees of it (targets/target.ts), over the slot arrays. A thread has one of these
 * and points it at each request in turn. Hot path: `load`, `complete` and the operations allocate nothing.
 */
import type { Ring } from '../native/ring/ring.ts';
import {
  IORING_OP_FALLOCATE,
  IORING_OP_FSYNC,
  IORING_OP_READ,
  IORING_OP_READ_FIXED,
  IORING_OP_READV,
  IORING_OP_READV_FIXED,
  IORING_OP_WRITE,
  IORING_OP_WRITE_FIXED,
  IORING_OP_WRITEV,
  IORING_OP_WRITEV_FIXED,
} from '../native/uapi/io-uring-opcodes.ts';
import { IORING_FSYNC_DATASYNC } from '../native/uapi/io-uring-sqe-flags.ts';
import {
  UBLK_IO_F_INTEGRITY,
  UBLK_IO_F_SHMEM_ZC,
  UBLK_IO_OP_READ,
  UBLK_IO_OP_WRITE,
  UBLK_IO_OP_WRITE_ZEROES,
  UBLK_IO_OP_ZONE_APPEND,
} from '../native/uapi/ublk-io.ts';
import { sumHi, sumLo } from '../native/words64.ts';
import { STAT_WAYS } from '../stats/layout.ts';
import type { IoRequest } from '../targets/target.ts';
import { FIXED_FILE } from './char-device.ts';
import type { DataViews } from './data-views.ts';
import type { DataPath } from './data-path/data-path.ts';
import type { MatchedRequest, ShmemOverlay } from './data-path/shmem.ts';
import type { Delivery } from './delivery/delivery.ts';
import type { LatencySampler } from './latency.ts';
import type { Slots } from './slots.ts';
import type { ThreadStats } from './thread-stats.ts';
import { addTimeout } from './timeout.ts';
import { KIND_TARGET, userData } from './user-data.ts';

const WAY_MATCHED = STAT_WAYS.indexOf('matched');
const WAY_NONE = STAT_WAYS.indexOf('none');
const STAT_WRITE_ZEROES = 4;
const STAT_OTHER = 5;

/** The index in STAT_OPS of an operation, as `count` has it in place. */
export function statOpOf(op: number): number {
  if (op < STAT_WRITE_ZEROES) return op;
  return op === UBLK_IO_OP_WRITE_ZEROES ? STAT_WRITE_ZEROES : STAT_OTHER;
}

export interface RequestParts {
  readonly ring: Ring;
  readonly slots: Slots;
  /** All queues' descriptors, as words. */
  readonly descriptors: Int32Array;
  readonly stats: ThreadStats;
  readonly latency: LatencySampler;
  readonly path: DataPath;
  readonly overlay: ShmemOverlay;
  readonly delivery: Delivery;
  readonly views: DataViews;
}

export class Request implements IoRequest, MatchedRequest {
  place = 0;
  flags = 0;
  /** Whether the request has not been completed yet. */
  open = false;
  /** Word index of the descriptor. */
  private at = 0;

  private readonly ring: Ring;
  private readonly slots: Slots;
  private readonly descriptors: Int32Array;
  private readonly stats: ThreadStats;
  private readonly latency: LatencySampler;
  private readonly path: DataPath;
  private readonly overlay: ShmemOverlay;
  private readonly delivery: Delivery;
  private readonly views: DataViews;

  constructor(parts: RequestParts) {
    this.ring = parts.ring;
    this.slots = parts.slots;
    this.descriptors = parts.descriptors;
    this.stats = parts.stats;
    this.latency = parts.latency;
    this.path = parts.path;
    this.overlay = parts.overlay;
    this.delivery = parts.delivery;
    this.views = parts.views;
  }

  /**
   * Points at `slot` and reads what every request is asked for from its descriptor, which holds still from delivery to
   * commit: the rest is read when it is asked for.
   */
  load(slot: number): void {
    const words = this.descriptors;
    const at = this.slots.descriptor[slot]!;
    this.place = slot;
    this.at = at;
    this.flags = words[at]!;
  }

  /** The target's key for its own state: the slot, counted from the first one that its target has. */
  get slot(): number {
    return this.place - this.slots.targetFirst[this.place]!;
  }

  get op(): number {
    return this.flags & 0xff;
  }

  get sectors(): number {
    return this.descriptors[this.at + 1]!;
  }

  get bytes(): number {
    return this.sectors << 9;
  }

  get startLo(): number {
    return this.descriptors[this.at + 2]!;
  }

  get startHi(): number {
    return this.descriptors[this.at + 3]!;
  }

  /** The offset in the registered buffer, for a request that matched. */
  get matchedOffset(): number {
    return this.descriptors[this.at + 4]!;
  }

  /** The registered buffer, for a request that matched. */
  get matchedIndex(): number {
    return this.descriptors[this.at + 5]! & 0xffff;
  }

  get matched(): boolean {
    return (this.flags & UBLK_IO_F_SHMEM_ZC) !== 0;
  }

  /** Whether the data path has anything to bring: the data, unless it matched, or integrity metadata, which never matches. */
  get usesPath(): boolean {
    return (this.flags & (UBLK_IO_F_SHMEM_ZC | UBLK_IO_F_INTEGRITY)) !== UBLK_IO_F_SHMEM_ZC;
  }

  get dataLo(): number {
    return this.slots.dataLo[this.place]!;
  }

  get dataHi(): number {
    return this.slots.dataHi[this.place]!;
  }

  get pending(): number {
    return this.slots.pending[this.place]!;
  }

  get result(): number {
    return this.slots.result[this.place]!;
  }

  set result(value: number) {
    this.slots.result[this.place] = value;
  }

  view(): Buffer {
    if (this.matched) return this.views.matched(this.place, this.matchedIndex, this.matchedOffset >>> 0, this.bytes);
    return this.views.own(this.place, this.bytes);
  }

  abandonView(): () => void {
    const isClients = this.matched && !this.views.isCopied(this.matchedIndex);
    return isClients ? () => {} : this.views.replace(this.place);
  }

  complete(result: number): void {
    const slot = this.place;
    this.open = false;
    this.count(slot, result);
    // The data of a matched request is in place: the path, which did not bring it, must not take it away either.
    if (this.matched) this.overlay.depart(slot);
    if (this.usesPath && !this.path.depart(this, result)) return;
    this.delivery.commit(slot, result);
  }

  read(file: number, offsetLo: number, offsetHi: number, at: number, length: number, token: number): void {
    this.path.attach(this);
    this.onData(IORING_OP_READ, IORING_OP_READ_FIXED, file, token);
    this.range(offsetLo, offsetHi, at, length);
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
    this.path.attach(this);
    this.onData(IORING_OP_WRITE, IORING_OP_WRITE_FIXED, file, token);
    this.range(offsetLo, offsetHi, at, length);
    this.ring.sq.entry.opFlags = rwFlags;
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
    this.onData(IORING_OP_READV, IORING_OP_READV_FIXED, file, token);
    this.fill(offsetLo, offsetHi, vecLo, vecHi, count);
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
    this.onData(IORING_OP_WRITEV, IORING_OP_WRITEV_FIXED, file, token);
    this.fill(offsetLo, offsetHi, vecLo, vecHi, count);
    this.ring.sq.entry.opFlags = rwFlags;
  }

  fsync(file: number, token: number): void {
    this.onFile(IORING_OP_FSYNC, file, token);
    this.ring.sq.entry.opFlags = IORING_FSYNC_DATASYNC;
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
    this.onFile(IORING_OP_FALLOCATE, file, token);
    // IORING_OP_FALLOCATE has its length in addr and its mode in len.
    this.fill(offsetLo, offsetHi, lengthLo, lengthHi, mode);
  }

  timeout(timespecLo: number, timespecHi: number, token: number): void {
    this.reserve();
    addTimeout(this.ring.sq, timespecLo, timespecHi, userData(KIND_TARGET, this.place, token));
  }

  readIntegrity(file: number, offsetLo: number, offsetHi: number, length: number, token: number): void {
    this.onFile(IORING_OP_READ, file, token);
    this.integrity(offsetLo, offsetHi, length);
  }

  writeIntegrity(file: number, offsetLo: number, offsetHi: number, length: number, token: number): void {
    this.onFile(IORING_OP_WRITE, file, token);
    this.integrity(offsetLo, offsetHi, length);
  }

  /** Makes room for an operation of this request. */
  private reserve(): void {
    this.slots.pending[this.place]!++;
    this.ring.reserve(1);
  }

  /** Begins an operation on the request's data: `plain` at an address, `fixed` in a registered buffer. */
  private onData(plain: number, fixed: number, file: number, token: number): void {
    const index = this.slots.dataIndex[this.place]!;
    this.onFile(index < 0 ? plain : fixed, file, token);
    if (index > 0) this.ring.sq.entry.bufIndex = index;
  }

  /** Begins any other operation, which names no registered buffer: fsync and fallocate are refused with one. */
  private onFile(opcode: number, file: number, token: number): void {
    this.reserve();
    this.ring.sq.begin(
      opcode | FIXED_FILE,
      this.slots.firstFile[this.place]! + file,
      userData(KIND_TARGET, this.place, token),
    );
  }

  /** `length` bytes of the file at this offset, and of the data from byte `at` on. */
  private range(offsetLo: number, offsetHi: number, at: number, length: number): void {
    const { dataLo } = this;
    this.fill(offsetLo, offsetHi, sumLo(dataLo, at), sumHi(dataLo, this.dataHi, at), length);
  }

  private integrity(offsetLo: number, offsetHi: number, length: number): void {
    const { integrityLo, integrityHi } = this.slots;
    this.fill(offsetLo, offsetHi, integrityLo[this.place]!, integrityHi[this.place]!, length);
  }

  private fill(offsetLo: number, offsetHi: number, addressLo: number, addressHi: number, length: number): void {
    const sqe = this.ring.sq.entry;
    sqe.offLo = offsetLo;
    sqe.offHi = offsetHi;
    sqe.addrLo = addressLo;
    sqe.addrHi = addressHi;
    sqe.len = length;
  }

  private count(slot: number, result: number): void {
    const op = this.op;
    const hasData = op === UBLK_IO_OP_READ || op === UBLK_IO_OP_WRITE || op === UBLK_IO_OP_ZONE_APPEND;
    const way = hasData ? (this.matched ? WAY_MATCHED : this.path.wayOf(slot)) : WAY_NONE;
    const statOp = op < STAT_WRITE_ZEROES ? op : op === UBLK_IO_OP_WRITE_ZEROES ? STAT_WRITE_ZEROES : STAT_OTHER;
    const stats = this.stats.of(slot);
    stats.finished(statOp, way, result > 0 ? result : 0);
    if (result < 0) stats.failed(statOp);
    this.latency.ended(slot, statOp < 2 ? statOp : 2, stats);
  }
}
