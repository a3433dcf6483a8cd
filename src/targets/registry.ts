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
import type { TargetType } from './target.ts';

const BUILT_IN: readonly TargetType[] = [nullTarget, loopTarget, ramTarget, stripeTarget, nbdTarget, faultInjectTarget];

export function targetNames(): string[] {
  return BUILT_IN.map((type) => type.name);
}

export function builtInTarget(name: string): TargetType | undefined {
  return BUILT_IN.find((target) => target.name === name);
}
