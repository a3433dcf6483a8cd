/** Every built-in target, one line each. Loaded when asked for: a server pays for the one it serves. */
import { usageError } from '../errors.ts';
import type { TargetType } from './target.ts';

const BUILT_IN: Readonly<Record<string, () => Promise<TargetType>>> = {
  null: async () => (await import('./null/index.ts')).nullTarget,
  loop: async () => (await import('./loop/index.ts')).loopTarget,
  stripe: async () => (await import('./stripe/index.ts')).stripeTarget,
  fault_inject: async () => (await import('./fault-inject/index.ts')).faultInjectTarget,
};

export function targetNames(): string[] {
  return Object.keys(BUILT_IN);
}

export async function loadTarget(name: string): Promise<TargetType> {
  const load = BUILT_IN[name];
  if (load === undefined) throw usageError(`no target is called '${name}'`, `there are ${targetNames().join(', ')}`);
  return load();
}
