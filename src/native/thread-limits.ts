import type { ResourceLimits } from 'node:worker_threads';

/** What a thread of a server is started with. Its code calls nothing deeply, and Node would give each thread a stack of 4 MB. */
export const THREAD_LIMITS: ResourceLimits = { stackSizeMb: 2 };
