import type { DeviceSpec } from '../device-spec.ts';
import { MAX_DEPTH, MAX_QUEUES, MAX_THREADS } from '../options.ts';
import { checkRange } from './range.ts';

/** The driver rounds the size of the largest request down to pages, and its field has 32 bits. */
const LEAST_IO_BYTES = 4096;
const MOST_IO_BYTES = 2 ** 32 - LEAST_IO_BYTES;

export function checkCounts({ queues, depth, threads, maxIoBufBytes }: DeviceSpec): void {
  checkRange('queues', queues, 1, MAX_QUEUES);
  checkRange('depth', depth, 1, MAX_DEPTH);
  checkRange('threads', threads, 1, MAX_THREADS);
  checkRange('maxIoBufBytes', maxIoBufBytes, LEAST_IO_BYTES, MOST_IO_BYTES);
}
