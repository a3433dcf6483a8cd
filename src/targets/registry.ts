/**
 * The built-in targets. They are imported statically, so that the bundler puts them into the same module as the loop of
 * the queue thread that calls them (docs/decisions/0006).
 */
import { faultInjectTarget } from './fault-inject/index.ts';
import { loopTarget } from './loop/index.ts';
import { nbdTarget } from './nbd/index.ts';
import { nullTarget } from './null/index.ts';
import { ramTarget } from './ram/index.ts';
import { stripeTarget } from './stripe/index.ts';
import type { BuiltInTarget } from './target.ts';

const NAMES = ['null', 'loop', 'ram', 'stripe', 'nbd', 'fault_inject'] as const;

export function targetNames(): string[] {
  return [...NAMES];
}

/** Each target is named in a case of its own, and not in a table, so that a command loads the code of one target only (docs/decisions/0016). */
export function builtInTarget(name: string): BuiltInTarget | undefined {
  const known = NAMES.find((each) => each === name);
  switch (known) {
    case 'null':
      return nullTarget;
    case 'loop':
      return loopTarget;
    case 'ram':
      return ramTarget;
    case 'stripe':
      return stripeTarget;
    case 'nbd':
      return nbdTarget;
    case 'fault_inject':
      return faultInjectTarget;
    default:
      // The compiler names this place when a name has no case.
      return known satisfies undefined;
  }
}
