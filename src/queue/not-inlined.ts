/**
 * What a thread's loop does seldom, and V8 must not compile into it. The loop is one compiled function (docs/decisions/0005),
 * and V8 drops all of it when something changes that only such a part depends on.
 */

/** Calls `act`. V8 cannot be told not to inline a function, and it does not look into what Set.forEach calls. */
export function notInlined(act: () => void): void {
  new Set([act]).forEach(call);
}

function call(act: () => void): void {
  act();
}
