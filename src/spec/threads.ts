/** Which thread of a device serves which requests, and on which CPUs. */
import type { DeviceSpec } from './device-spec.ts';

/**
 * The part of a device that one thread serves.
 * - `queue`: thread i serves queue i.
 * - `per-io`: the thread serves every `threads`-th (queue, tag) pair, beginning with its own index.
 * - `batch`: the thread serves all tags of `queues`, which other threads may serve too; it prepares (fetches first)
 *   those of `prepares`.
 */
export type ThreadLayout =
  | { readonly kind: 'queue' }
  | { readonly kind: 'per-io' }
  | { readonly kind: 'batch'; readonly queues: readonly number[]; readonly prepares: readonly number[] };

/** One layout per thread. */
export function threadLayouts({ threads, queues, perIoTasks, delivery }: DeviceSpec): ThreadLayout[] {
  const indexes = Array.from({ length: threads }, (_, i) => i);
  if (perIoTasks) return indexes.map(() => ({ kind: 'per-io' }));
  if (delivery !== 'batch') return indexes.map(() => ({ kind: 'queue' }));
  return indexes.map((thread) => batchLayout(thread, threads, queues));
}

/** The queues that a thread of this layout serves. */
export function queuesOf(layout: ThreadLayout, thread: number, queues: number): number[] {
  if (layout.kind === 'queue') return [thread];
  if (layout.kind === 'batch') return [...layout.queues];
  return Array.from({ length: queues }, (_, queue) => queue);
}

/** Whether each thread has one queue to itself, so that the CPUs of that queue are the thread's. */
export function isOneToOne({ threads, queues, perIoTasks }: DeviceSpec): boolean {
  return threads === queues && !perIoTasks;
}

/**
 * The CPUs of a thread: those of its queue that are allowed. Without a restriction (`allowed` is empty) these are all
 * CPUs of its queue. A thread without a queue of its own gets all that are allowed, and so does a thread whose queue has
 * none of them.
 */
export function threadCpus(ofQueue: readonly number[], allowed: readonly number[]): readonly number[] {
  if (allowed.length === 0) return ofQueue;
  const common = ofQueue.filter((cpu) => allowed.includes(cpu));
  return common.length > 0 ? common : allowed;
}

/** Round robin both ways: 2 threads over 4 queues are [0,2] [1,3]; 4 threads over 2 queues are [0] [1] [0] [1]. */
function batchLayout(thread: number, threads: number, queues: number): ThreadLayout {
  const served = new Set<number>();
  for (let i = 0; i < Math.max(threads, queues); i++) if (i % threads === thread) served.add(i % queues);
  const mine = [...served].sort((a, b) => a - b);
  return { kind: 'batch', queues: mine, prepares: mine.filter((queue) => queue % threads === thread) };
}
