/**
 * The target `fault_inject`, for tests. It is like null, but each request waits first, or the server dies between two
 * fetches.
 */
import type { BuiltInTarget } from '../target.ts';
import { chosenBytes, SIZE_OPTION } from '../chosen-size.ts';
import { parseFaults } from './options.ts';
import { faultInjectParams } from './params.ts';
import { FaultInjectQueue, type FaultInjectState } from './queue.ts';

export const faultInjectTarget: BuiltInTarget<FaultInjectState> = {
  name: 'fault_inject',
  summary: 'stores nothing, waits before it completes a request, or dies while it starts',
  options: {
    ...SIZE_OPTION,
    delay_us: 'microseconds that each request waits (default 0)',
    die_during_fetch: '1: kill the server after the first fetch of a queue (default 0)',
  },
  files: { min: 0, max: 0 },
  prefers: [],
  namespaces: () => [],
  check: ({ options }) => {
    parseFaults(options);
    chosenBytes(options);
  },
  open: (request) => {
    return {
      params: faultInjectParams(request),
      files: [],
      state: { ...parseFaults(request.options), depth: request.depth },
      operations: 1,
      close: () => {},
    };
  },
  queue: (context) => new FaultInjectQueue(context.state),
};
