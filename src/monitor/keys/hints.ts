/** The hints of the footer: the keys that work now. Pure. */
import { isFor, refusalOf } from './binding.ts';
import type { Situation } from './situation.ts';
import { BINDINGS } from './table.ts';

export interface Hint {
  readonly label: string;
  readonly hint: string;
  /** Shown on narrow terminals too. */
  readonly always: boolean;
}

/**
 * The hints are in the order of the table of keys. While something is asked or typed, only the keys for that are
 * offered.
 */
export function hintsOf(situation: Situation): Hint[] {
  const { question, typing, help } = situation.screen;
  if (question !== null) return only(['y', question.yes], ['n', 'keep it']);
  if (typing?.what === 'filter') return only(['Enter', 'keep the filter'], ['Esc', 'clear it']);
  if (typing !== null) return only(['Enter', 'register'], ['Tab', 'mode'], ['Esc', 'leave it']);
  if (help) return only(['any key', 'back']);
  const offered = BINDINGS.filter((one) => isFor(one, situation) && refusalOf(one, situation) === null);
  return offered.flatMap(({ label, hint }) =>
    hint === undefined ? [] : [{ label, hint, always: label === '?' || label === 'q' }],
  );
}

function only(...pairs: readonly (readonly [label: string, hint: string])[]): Hint[] {
  return pairs.map(([label, hint]) => ({ label, hint, always: false }));
}
