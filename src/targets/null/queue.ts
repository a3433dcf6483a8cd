import type { IoRequest, TargetQueue } from '../target.ts';

/** The queue of the target null. The data is never read, so every request completes immediately. */
export class NullQueue implements TargetQueue {
  queueIo(io: IoRequest): void {
    io.complete(io.bytes);
  }

  operationDone(): void {}
}
