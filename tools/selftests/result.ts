/** What the guest tells the host about the kernel's selftests: a line of JSON each. */
export type Message = Plan | Result;

/** Comes first: what is going to run. */
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
  /** What it printed, and what the kernel said meanwhile, of a test that failed. */
  readonly output?: string | undefined;
}

export type Program = 'ublkts' | 'kublk';
export type Outcome = 'pass' | 'fail' | 'skip';
