/** The messages that the guest sends to the host about the kernel's selftests, one line of JSON each. */
export type Message = Plan | Result;

/** The first message: the tests that are going to run. */
export interface Plan {
  readonly plan: readonly string[];
}

export interface Result {
  /** Without `test_` and `.sh`, as the suite's own output names it. */
  readonly test: string;
  readonly program: Program;
  readonly outcome: Outcome;
  readonly seconds: number;
  /** Why it was skipped or what is wrong, in a few words. */
  readonly reason?: string | undefined;
  /** For a test that failed, its output and the kernel's log. */
  readonly output?: string | undefined;
  /** For a result that stands for all tests of a guest that was lost: what it was to run. */
  readonly lostPart?: Part | undefined;
}

/** What one guest runs. `deadlines`: those tests of the suite that have one; otherwise a share of the others. */
export type Part = 'deadlines' | { readonly share: number; readonly shares: number };

export type Program = 'ublkts' | 'kublk';
export type Outcome = 'pass' | 'fail' | 'skip';
