/** The limits that a server inherits from who makes its device. */
import { openFilesLimit, serverDescriptors } from '../../server/descriptor-budget.ts';
import { MAX_THREADS } from '../../spec/options.ts';
import { type Check, ok, warn } from './check.ts';

/** `limits` is /proc/self/limits. */
export function checkOpenFiles(limits: string): Check {
  const limit = openFilesLimit(limits);
  const needed = serverDescriptors({ threads: MAX_THREADS, files: [], sharedMemory: true, buffers: [], ofTarget: 0 });
  if (limit >= needed) return ok('open files', limit === Infinity ? 'no limit' : `up to ${limit}`);
  const detail = `up to ${limit}; a device with ${MAX_THREADS} threads needs ${needed}`;
  return warn('open files', detail, '`ulimit -n 1024`, or LimitNOFILE=1024 in a systemd unit');
}
