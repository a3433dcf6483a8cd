/** From what was asked for and what the kernel granted to who serves what: pure. */
import type { AddOptions } from './options.ts';
import type { DataPathName } from './data-path-name.ts';
import type { ThreadLayout } from './thread-layout.ts';

export function dataPathOf(options: AddOptions): DataPathName {
  const has = (name: string) => options.features.includes(name);
  if (has('AUTO_BUF_REG')) return options.autoZcFallback ? 'auto_zc_fallback' : 'auto_zc';
  if (has('SUPPORT_ZERO_COPY')) return 'zero_copy';
  if (has('USER_COPY')) return 'user_copy';
  return has('NEED_GET_DATA') ? 'get_data' : 'copy';
}

/** What `list` calls the way data travels: the path, and whether requests come in batches. */
export function dataPathName(options: AddOptions): string {
  return isBatch(options) ? `batch+${dataPathOf(options)}` : dataPathOf(options);
}

/** Whether the kernel copies to and from memory of the server's own. */
export function needsBuffers(path: DataPathName): boolean {
  return path === 'copy' || path === 'get_data' || path === 'user_copy';
}

/**
 * The kernel may grant fewer queues than were asked for (never more than CPUs). A thread without a queue would wait for
 * ever; where tags or whole queues can be shared, more threads than queues make sense.
 */
export function threadCount(options: AddOptions, queues: number): number {
  const wanted = options.threads === 0 ? queues : options.threads;
  const shared = options.perIoTasks || isBatch(options);
  return shared ? wanted : Math.min(wanted, queues);
}

export function isBatch(options: AddOptions): boolean {
  return options.features.includes('BATCH_IO');
}

export function threadLayouts(options: AddOptions, queues: number): ThreadLayout[] {
  const threads = threadCount(options, queues);
  const indexes = Array.from({ length: threads }, (_, i) => i);
  if (options.perIoTasks) return indexes.map(() => ({ kind: 'per-io' }));
  if (!isBatch(options)) return indexes.map(() => ({ kind: 'queue' }));
  return indexes.map((thread) => batchLayout(thread, threads, queues));
}

/** Round robin both ways: 2 threads over 4 queues are [0,2] [1,3]; 4 threads over 2 queues are [0] [1] [0] [1]. */
function batchLayout(thread: number, threads: number, queues: number): ThreadLayout {
  const served = new Set<number>();
  for (let i = 0; i < Math.max(threads, queues); i++) if (i % threads === thread) served.add(i % queues);
  const mine = [...served].sort((a, b) => a - b);
  return { kind: 'batch', queues: mine, prepares: mine.filter((queue) => queue % threads === thread) };
}

/**
 * CPUs for a thread: those of its queue that are allowed. With no restriction (`allowed` is empty) all of its queue's;
 * all that are allowed for a thread without a queue of its own, or when its queue's are all out of bounds.
 */
export function threadCpus(ofQueue: readonly number[], allowed: readonly number[]): readonly number[] {
  if (allowed.length === 0) return ofQueue;
  const common = ofQueue.filter((cpu) => allowed.includes(cpu));
  return common.length > 0 ? common : allowed;
}

/** Queues that a thread of this layout serves. */
export function queuesOf(layout: ThreadLayout, thread: number, queues: number): number[] {
  if (layout.kind === 'queue') return [thread];
  if (layout.kind === 'batch') return [...layout.queues];
  return Array.from({ length: queues }, (_, queue) => queue);
}
