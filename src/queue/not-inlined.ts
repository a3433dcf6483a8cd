/**
 * Keeps what a thread does seldom out of its compiled loop. V8 compiles the loop, with all that it calls, into one function
 * (docs/decisions/0005), and drops all of it when an assumption about any of these parts turns out to be false.
 */

/** Calls `act`. V8 cannot be told not to inline a function, and it does not look into what Set.forEach calls. */
export function notInlined(act: () => void): void {
  new Set([act]).forEach(call);
}

function call(act: () => void): void {
  act();
}
