/** A share as a whole percentage. It is 0 only for nothing and 100 only for all. */
export function wholePercent(share: number): number {
  if (share <= 0) return 0;
  return share >= 1 ? 100 : Math.min(99, Math.max(1, Math.round(share * 100)));
}
