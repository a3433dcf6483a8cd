/** What the footer offers: only keys that work here and now. Pure. */
import { isFor, refusalOf } from './binding.ts';
import type { Situation } from './situation.ts';
import { BINDINGS } from './table.ts';

/** A key and what it does, in a word or two. */
export interface Hint {
  readonly label: string;
  readonly hint: string;
  /** Said even where there is room for few. */
  readonly always: boolean;
}

/** In the order of the table; while something is asked or typed, the keys that end that. */
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
