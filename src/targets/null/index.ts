/**
 * The target `null`: it discards what is written, and reads return whatever is in the buffer. Copy this folder to write
 * a target of your own.
 */
import type { BuiltInTarget } from '../target.ts';
import { chosenBytes, SIZE_OPTION } from '../chosen-size.ts';
import { nullParams } from './params.ts';
import { NullQueue } from './queue.ts';

export const nullTarget: BuiltInTarget<null> = {
  name: 'null',
  summary: 'completes every request at once and stores nothing',
  options: SIZE_OPTION,
  files: { min: 0, max: 0 },
  prefers: [],
  namespaces: () => [],
  check: ({ options }) => {
    chosenBytes(options);
  },
  open: (request) => ({ params: nullParams(request), files: [], state: null, operations: 0, close: () => {} }),
  queue: () => new NullQueue(),
};
