/**
 * `null`: 250 GiB that swallow writes and give back whatever is there. The target to copy when you write one.
 */
import type { TargetType } from '../target.ts';
import { nullParams } from './params.ts';
import { NullQueue } from './queue.ts';

export const nullTarget: TargetType<null> = {
  name: 'null',
  summary: 'completes every request at once and stores nothing',
  options: {},
  files: { min: 0, max: 0 },
  refuses: () => null,
  open: (request) => ({ params: nullParams(request), files: [], state: null, operations: 0, close: () => {} }),
  queue: () => new NullQueue(),
};
