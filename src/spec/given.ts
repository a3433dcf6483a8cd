import { requireOptions } from '../kinds.ts';

/** Options of which each that can be left out may also be undefined, with `exactOptionalPropertyTypes` too. */
export type OrUndefined<T> = { readonly [K in keyof T]: object extends Pick<T, K> ? T[K] | undefined : T[K] };

/**
 * The options that are given. Callers write `{ threads: undefined }` for an option that they leave out. Throws a UblkError for a
 * value that is no object.
 */
export function given<T extends object>(options: OrUndefined<T>): T {
  requireOptions(options);
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
