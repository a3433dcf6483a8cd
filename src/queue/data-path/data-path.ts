/**
 * How a request's data travels between the kernel and the target. There is one implementation per file, and a device
 * has one of them. Requests that matched a registered buffer go around it (shmem.ts), unless they have integrity metadata,
 * which is never in a registered buffer: of those the path brings the metadata alone.
 *
 * Contract: all functions run on the queue thread, for the request that `io` points at. Where the data is stands in the
 * slot's dataLo, dataHi and dataIndex (slots.ts) for as long as the request is under way; a path sets them up once.
 */

/** The properties of a request that a path uses. */
export interface PathRequest {
  /** The slot on this thread. */
  readonly place: number;
  readonly op: number;
  readonly flags: number;
  readonly bytes: number;
  readonly matched: boolean;
  complete(result: number): void;
}

export interface DataPath {
  /** The index in STAT_WAYS of the way that the data of the slot's requests travels. */
  wayOf(slot: number): number;
  /**
   * A request has come. true: the target may have it now. false: an operation of the path's own is under way, and
   * `operationDone` says when the target may have it.
   */
  arrive(io: PathRequest): boolean;
  /** The target is about to start a ring operation on the data. */
  attach(io: PathRequest): void;
  /** The target has completed the request. true: commit now. false: the path commits it. */
  depart(io: PathRequest, result: number): boolean;
  /** An operation that this path started has ended. true: the data is there, and the target may have the request. */
  operationDone(io: PathRequest, token: number, result: number): boolean;
}
