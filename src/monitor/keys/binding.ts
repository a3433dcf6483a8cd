/** A row of the table: keys, their words for the footer and the help, when they can be pressed, and what they do. */
import type { ViewName } from '../screen.ts';
import type { KeyName, Outcome, Situation } from './situation.ts';

/** What some keys do, and when. */
export interface Binding {
  readonly keys: readonly KeyName[];
  /** As written in the footer and the help. */
  readonly label: string;
  /** A word or two for the footer; none: only in the help. */
  readonly hint?: string;
  readonly help: string;
  /** Not with --read-only. */
  readonly changes?: true;
  /** None: in all of them. */
  readonly views?: readonly ViewName[];
  /** Why not now; null: it can be done. */
  readonly refusal?: (situation: Situation) => string | null;
  readonly press: (situation: Situation, key: KeyName) => Outcome;
}

/** Whether its keys mean anything in this view. */
export function isFor({ views }: Binding, { screen }: Situation): boolean {
  return views === undefined || views.includes(screen.view);
}

/** Why it cannot be done now; null: it can. */
export function refusalOf({ changes, refusal }: Binding, situation: Situation): string | null {
  if (changes === true && situation.readOnly) return 'the monitor was started with --read-only';
  return refusal?.(situation) ?? null;
}
