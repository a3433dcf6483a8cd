/** The counts of passed, failed and skipped tests. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };
export const ONE_FAILED: Tally = { passed: 0, failed: 1, skipped: 0 };

export function sum(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (total, one) => ({
      passed: total.passed + one.passed,
      failed: total.failed + one.failed,
      skipped: total.skipped + one.skipped,
    }),
    NOTHING,
  );
}

/** Makes the closing lines of a run: those of node:test, and then one that a person reads. */
export function closingText({ passed, failed, skipped }: Tally, milliseconds: number): string {
  return `
# tests ${passed + failed + skipped}
# pass ${passed}
# fail ${failed}
# skipped ${skipped}
# duration_ms ${Math.round(milliseconds)}

${passed} passed, ${failed} failed, ${skipped} skipped
`;
}
