/**
 * Handles a key press: it answers a question, types a character, leaves the help, or does what the table of keys says.
 * Pure.
 */
import { isFor, refusalOf } from './binding.ts';
import { answer } from './questions.ts';
import { done, type KeyName, type Outcome, type Situation } from './situation.ts';
import { BINDINGS } from './table.ts';
import { type } from './typing.ts';

/** A key that means nothing in this view changes nothing; one that cannot be pressed now says why. */
export function press(situation: Situation, key: KeyName): Outcome {
  const { screen } = situation;
  if (screen.question !== null) return answer(screen, screen.question, key);
  if (screen.typing !== null) return type(screen, screen.typing, key);
  if (screen.help) return done(screen, { help: false });
  const binding = BINDINGS.find(({ keys }) => keys.includes(key));
  if (binding === undefined || !isFor(binding, situation)) return { screen };
  const refusal = refusalOf(binding, situation);
  if (refusal !== null) return done(screen, { message: { text: `${binding.label}: ${refusal}`, severity: 'warning' } });
  return binding.press(situation, key);
}
