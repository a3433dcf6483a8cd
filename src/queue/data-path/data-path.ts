/**
 * Where a request's data is between the kernel and the target. One implementation a file; a device has one of them, and
 * requests that matched a registered buffer go around it (shmem.ts).
 *
 * Contract: all functions run on the queue thread, for the request that `io` points at.
 */
import type { Request } from '../request.ts';

export interface DataPath {
  /** Index in STAT_WAYS of a request with data that came this way. */
  readonly way: number;
  /**
   * A request has come. Says where its data is (`io.locate`). true: the target may have it now. false: an operation of
   * the path's own is under way, and `operationDone` will dispatch it.
   */
  arrive(io: Request): boolean;
  /** Says where the data of a request under way is, as `arrive` did. */
  locate(io: Request): void;
  /** The target is about to start its first ring operation on the data. */
  attach(io: Request): void;
  /** The target has completed it. true: commit now. false: `operationDone` will. */
  depart(io: Request, result: number): boolean;
  /** An operation that this path started has ended. */
  operationDone(io: Request, token: number, result: number): void;
}
