import type { DeviceSpec } from '../device-spec.ts';
import { MAX_DEPTH, MAX_QUEUES, MAX_THREADS } from '../options.ts';
import { checkRange } from './range.ts';

export function checkCounts({ queues, depth, threads }: DeviceSpec): void {
  checkRange('queues', queues, 1, MAX_QUEUES);
  checkRange('depth', depth, 1, MAX_DEPTH);
  checkRange('threads', threads, 1, MAX_THREADS);
}
