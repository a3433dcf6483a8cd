/** The options that are given. JavaScript callers write `{ threads: undefined }` for an option that they leave out. */
export function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
