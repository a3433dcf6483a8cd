/** True when the name has one of the patterns in it, or when there are no patterns. */
export function matches(name: string, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => name.includes(pattern));
}
