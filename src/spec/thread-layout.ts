/**
 * `queue`: thread i serves queue i. `per-io`: every `threads`-th (queue, tag) pair, beginning with the thread's index.
 * `batch`: all tags of `queues`, which other threads may serve too.
 */
export type ThreadLayout =
  | { readonly kind: 'queue' }
  | { readonly kind: 'per-io' }
  | { readonly kind: 'batch'; readonly queues: readonly number[]; readonly prepares: readonly number[] };
