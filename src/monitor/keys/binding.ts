/** A binding: some keys, how the footer and the help describe them, when they can be pressed, and what they do. */
import type { ViewName } from '../screen.ts';
import type { KeyName, Outcome, Situation } from './situation.ts';

export interface Binding {
  readonly keys: readonly KeyName[];
  /** The keys as the footer and the help write them. */
  readonly label: string;
  /** One or two words for the footer; without them, the keys are in the help only. */
  readonly hint?: string;
  readonly help: string;
  /** The keys change a device, and do nothing with --read-only. */
  readonly changes?: true;
  /** The views in which the keys mean something; all views by default. */
  readonly views?: readonly ViewName[];
  /** Says why the keys cannot be pressed now; null when they can. */
  readonly refusal?: (situation: Situation) => string | null;
  readonly press: (situation: Situation, key: KeyName) => Outcome;
}

/** Whether the keys mean anything in this view. */
export function isFor({ views }: Binding, { screen }: Situation): boolean {
  return views === undefined || views.includes(screen.view);
}

/** Says why the keys cannot be pressed now; null when they can. */
export function refusalOf({ changes, refusal }: Binding, situation: Situation): string | null {
  if (changes === true && situation.readOnly) return 'the monitor was started with --read-only';
  return refusal?.(situation) ?? null;
}
